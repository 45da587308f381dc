import pytest

from gatehouse.coder import errors as coder_errors
from gatehouse.core import errors as core_errors
from gatehouse.smoke.regressions import REGRESSIONS, SILENCE, THIS_SIDE, likely

SUITE = "suites/smoke/"


def test_there_are_fifteen_classes_each_with_a_source_and_a_next_step():
    assert len({each.name for each in REGRESSIONS}) == 15
    assert all(each.issues and each.next_step for each in REGRESSIONS)


@pytest.mark.parametrize(
    ("test", "words", "name"),
    [
        ("test_control_plane.py::test_x", "several versions answer at one address", "mixed-replicas"),
        (
            "test_upgrade.py::test_x",
            "the start build failed: Unexpected Identity Change",
            "existing-workspaces",
        ),
        ("test_upgrade.py::test_x", "the running canary is disconnected", "old-agents"),
        ("test_workspace.py::test_x", "code-server answers 502", "web-editor"),
        (
            "test_workspace.py::test_x",
            "no provisioner daemon: matched_provisioners.count is 0",
            "jobs-pending",
        ),
        ("test_control_plane.py::test_x", "EDERP01: the relay is unhealthy", "relay"),
        ("test_workspace.py::test_x", "connecting, created (non-latest build)", "agent-never-connects"),
    ],
)
def test_a_failure_is_likened_to_the_class_whose_words_it_uses(test, words, name):
    assert likely(SUITE + test, words).name == name


def test_a_failure_that_is_like_nothing_known_is_likened_to_nothing():
    assert likely(SUITE + "test_base_image.py::test_x", "zig is missing") is None


@pytest.mark.parametrize("kind", sorted(SILENCE))
@pytest.mark.parametrize(
    "words",
    ["code-server: the web editor is blank", "websocket /pty", "provisioner pending", "no such call: 404"],
)
def test_a_coder_that_gives_no_answer_is_likened_to_nothing_but_a_migration(kind, words):
    assert likely(SUITE + "test_editor.py::test_x", words, kind) is None
    assert (
        likely(SUITE + "test_workspace.py::test_x", f"{words}: is being migrated", kind).name == "migration"
    )


@pytest.mark.parametrize("kind", sorted(THIS_SIDE))
def test_what_is_wrong_on_this_side_is_like_no_regression(kind):
    assert likely(SUITE + "test_control_plane.py::test_x", "websocket /debug/ws: migrating", kind) is None


def test_the_types_that_are_told_apart_are_types_that_there_are():
    assert {
        each
        for each in SILENCE | THIS_SIDE
        if not hasattr(coder_errors, each) and not hasattr(core_errors, each)
    } == set()


def test_a_pod_that_waits_for_its_image_is_no_agent_that_never_connects():
    words = "the workspace has spent its 300 s for the stage pull: 429\nbuild 1, connecting, created"

    assert likely(SUITE + "test_workspace.py::test_x", words) is None
    assert (
        likely(SUITE + "test_workspace.py::test_x", words.replace("pull", "init")).name
        == "agent-never-connects"
    )


def test_issues_of_other_repositories_are_linked_there():
    links = next(each for each in REGRESSIONS if each.name == "removed-calls").links

    assert links[0] == "https://github.com/coder/coder-logstream-kube/issues/30"
    assert links[1] == "https://github.com/coder/coder/issues/28789"


def test_a_number_within_an_id_is_no_status():
    words = (
        "several versions answer at one address: {('v2.37.0', '8a503c1e-5030-4b1b-9d0e-0a1b2c3d5034'): 10}"
    )

    found = likely("suites/smoke/test_control_plane.py::test_all_replicas", words)
    assert found is not None
    assert found.name == "mixed-replicas"
