import pytest

from gatehouse.github.client import PullRequest
from gatehouse.preview.generators import expected_sets, owner_set


def pull_request(owner="acme", repo="shop", labels=("preview",)):
    return {"pullRequest": {"github": {"owner": owner, "repo": repo, "labels": list(labels)}}}


def application_set(name, *generators, error=""):
    conditions = [{"type": "ErrorOccurred", "status": "True" if error else "False", "message": error}]
    return {
        "metadata": {"name": name},
        "spec": {"generators": list(generators)},
        "status": {"conditions": conditions},
    }


def matrix(*generators):
    return {"matrix": {"generators": list(generators)}}


def elements(count):
    return {"list": {"elements": [{}] * count}}


def pull(*labels, number=7, branch="prices/with-tax"):
    return PullRequest.model_validate(
        {
            "number": number,
            "state": "open",
            "head": {"ref": branch, "sha": "a" * 40},
            "base": {"ref": "main", "sha": "b" * 40},
            "labels": [{"name": label} for label in labels],
        }
    )


def expected(*sets, labels=("preview",)):
    return expected_sets(list(sets), "acme/shop", pull(*labels))


def test_sets_that_watch_the_repository_are_expected_and_others_are_not():
    sets = expected(
        application_set("apps", pull_request()),
        application_set("other", pull_request(repo="other")),
        application_set("static", {"list": {"elements": []}}),
    )

    assert [each.name for each in sets] == ["apps"]


def test_the_repository_is_compared_without_regard_to_case():
    assert expected(application_set("apps", pull_request(owner="ACME")))


def test_labels_that_the_pull_request_lacks_are_named():
    (one,) = expected(application_set("apps", pull_request(labels=("preview", "ready"))), labels=("preview",))

    assert one.missing_labels == {"ready"}


def test_a_matrix_with_static_lists_says_how_many_applications_there_will_be():
    (one,) = expected(application_set("apps", matrix(pull_request(), elements(3))))
    (nested,) = expected(application_set("apps", matrix(matrix(pull_request(), elements(3)), elements(2))))
    (git,) = expected(application_set("apps", matrix(pull_request(), {"git": {}})))

    assert (one.count, nested.count, git.count) == (3, 6, 1)


def test_an_empty_list_makes_no_application_at_all():
    (one,) = expected(application_set("apps", matrix(pull_request(), elements(0))))

    assert one.count == 0


def test_a_generator_error_is_carried_along_in_its_own_words():
    (one,) = expected(application_set("apps", pull_request(), error="401 Bad credentials"))

    assert one.error == "401 Bad credentials"


def test_the_set_that_owns_an_application():
    application = {"metadata": {"ownerReferences": [{"kind": "ApplicationSet", "name": "apps"}]}}

    assert owner_set(application) == "apps"
    assert owner_set({"metadata": {}}) is None


# --- which Applications a set made for the pull request ----------------------------------------------------------


def made_by(template, application, set_name="apps", **pull_options):
    template = {"metadata": {"name": template}, "spec": {"project": "previews"}}
    one = application_set("apps", pull_request())
    one["spec"]["template"] = template
    (expectation,) = expected_sets([one], "acme/shop", pull("preview", **pull_options))
    owner = {"kind": "ApplicationSet", "name": set_name}
    return expectation.makes({"metadata": {"name": application, "ownerReferences": [owner]}})


@pytest.mark.parametrize(
    ("template", "name", "made"),
    [
        ("pr-{{.number}}-{{.component}}", "pr-7-www", True),
        ("pr-{{ .number }}-{{.component}}", "pr-7-www", True),
        ("pr-{{number}}-{{component}}", "pr-7-www", True),
        ("pr-{{.number}}-{{.component}}", "pr-77-www", False),
        ("pr-{{.number}}", "pr-7-www", False),
        ("{{.branch_slug}}-web", "prices-with-tax-web", True),
        ("web-{{.head_short_sha}}", "web-aaaaaaaa", True),
        ("web-{{.head_short_sha}}", "web-bbbbbbbb", False),
        ("web-{{.component}}", "web-7", False),
        ("pr.{{.number}}", "pr-7", False),
    ],
)
def test_an_application_is_told_by_the_parameters_of_the_pull_request_in_its_name(template, name, made):
    assert made_by(template, name) is made


def test_an_application_of_another_set_is_another_sets():
    assert not made_by("pr-{{.number}}", "pr-7", set_name="others")


def test_a_set_says_how_often_it_polls_and_argo_cds_default_is_half_an_hour():
    often = pull_request()
    often["pullRequest"]["requeueAfterSeconds"] = 60
    assert [
        each.poll for each in expected(application_set("a", often), application_set("b", pull_request()))
    ] == [60, 1800]


def test_elements_that_are_made_of_a_text_count_as_one_at_least():
    text = {"list": {"elementsYaml": "{{ .values | toJson }}"}}

    assert [each.count for each in expected(application_set("apps", matrix(pull_request(), text)))] == [1]


def test_a_selector_may_leave_one_of_a_list():
    selected = {**elements(3), "selector": {"matchLabels": {"on": "yes"}}}
    whole = {**matrix(pull_request(), elements(3)), "selector": {"matchLabels": {"on": "yes"}}}

    assert [each.count for each in expected(application_set("a", matrix(pull_request(), selected)))] == [1]
    assert [each.count for each in expected(application_set("a", whole))] == [1]


def test_what_is_merged_into_a_generator_makes_no_further_applications():
    merged = {"merge": {"mergeKeys": ["number"], "generators": [pull_request(), pull_request()]}}

    assert len(expected(application_set("apps", merged))) == 1


@pytest.mark.parametrize(
    ("filters", "filtered"),
    [
        ([], False),
        ([{"branchMatch": "^prices/"}], False),
        ([{"targetBranchMatch": "^release-"}], True),
        ([{"branchMatch": "^prices/", "targetBranchMatch": "^release-"}], True),
        ([{"targetBranchMatch": "^release-"}, {"branchMatch": "tax"}], False),
        ([{"titleMatch": "^preview:"}], True),
        ([{"branchMatch": r"\\pL["}], False),
    ],
)
def test_a_set_whose_filters_leave_the_pull_request_out_makes_nothing_for_it(filters, filtered):
    generator = pull_request()
    generator["pullRequest"]["filters"] = filters

    assert [each.filtered for each in expected(application_set("apps", generator))] == [filtered]


@pytest.mark.parametrize(
    ("project", "told"),
    [("previews", "previews"), ("preview-{{.number}}", "preview-7"), ("{{ .team }}-previews", "")],
)
def test_the_project_is_told_as_far_as_the_template_tells(project, told):
    one = application_set("apps", pull_request())
    one["spec"]["template"] = {"metadata": {"name": "pr-{{number}}-{{name}}"}, "spec": {"project": project}}

    assert [(each.project, each.example) for each in expected(one)] == [(told, "pr-7-*")]


@pytest.mark.parametrize(
    ("branch", "slug"),
    [
        ("dependabot/npm_and_yarn/x", "dependabot-npm-and-yarn-x"),
        (f"{'a' * 30}/{'b' * 30}", "a" * 30),
        (f"{'a' * 50}/b", "a" * 50),
        ("a" * 60, "a" * 50),
    ],
)
def test_a_long_branch_is_cut_after_a_word(branch, slug):
    one = application_set("apps", pull_request())
    one["spec"]["template"] = {"metadata": {"name": "web-{{branch_slug}}"}}
    (found,) = expected_sets([one], "acme/shop", pull("preview", branch=branch))

    assert found.application_name.fullmatch(f"web-{slug}")
