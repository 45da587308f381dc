import pytest

from gatehouse.argocd.table import ApplicationTable
from gatehouse.core.errors import EnvironmentProblem


def app(version, name="web", uid="1"):
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version)}}


def table(*applications):
    made = ApplicationTable()
    for each in applications:
        made.apply("ADDED", each)
    return made


def test_a_newer_version_replaces_an_older_one_and_not_the_other_way_round():
    made = table(app(5))

    assert made.apply("MODIFIED", app(7))
    assert not made.apply("MODIFIED", app(6))
    assert not made.apply("MODIFIED", app(7))
    assert made.applications == {"web": app(7)}


def test_versions_are_numbers_and_not_text():
    made = table(app(9))

    assert made.apply("MODIFIED", app(10))


def test_a_deleted_application_does_not_come_back_by_a_late_event():
    made = table(app(5))

    assert made.apply("DELETED", app(6))
    assert not made.apply("MODIFIED", app(5))
    assert not made.apply("ADDED", app(6))
    assert made.applications == {}


def test_a_new_application_of_the_same_name_takes_over_and_its_predecessors_events_are_late():
    made = table(app(5))

    assert made.apply("ADDED", app(9, uid="2"))
    assert not made.apply("DELETED", app(6))
    assert not made.apply("MODIFIED", app(7))
    assert made.applications == {"web": app(9, uid="2")}


def test_a_list_removes_what_it_lacks():
    made = table(app(5), app(6, "api"))

    made.replace([app(6, "api")], made.revision)

    assert set(made.applications) == {"api"}


def test_a_list_does_not_remove_what_came_after_it_was_asked_for():
    made = table(app(5))
    asked = made.revision
    made.apply("ADDED", app(6, "api"))

    made.replace([app(5)], asked)

    assert set(made.applications) == {"web", "api"}


def test_a_list_that_is_older_than_the_stream_takes_nothing_back():
    made = table(app(8))

    made.replace([app(5)], made.revision)

    assert made.applications == {"web": app(8)}


def test_a_restored_cluster_counts_versions_anew_and_a_list_says_so():
    made = table(app(900))

    made.replace([app(3, uid="2")], made.revision)

    assert made.applications == {"web": app(3, uid="2")}


def test_versions_that_are_no_numbers_are_taken_as_they_come():
    made = table(app("x"))

    assert made.apply("MODIFIED", app("a"))


def test_two_applications_of_one_name_are_not_taken_for_one():
    one, other = app(5, uid="1"), app(6, uid="2")
    one["metadata"]["namespace"], other["metadata"]["namespace"] = "team-a", "team-b"

    with pytest.raises(EnvironmentProblem, match="several Applications have the same name") as caught:
        table().replace([one, other], 0)

    assert caught.value.seen == "team-a/web, team-b/web"
