"""Helm. What is read was printed by Helm 3.22."""

import pytest

from gatehouse.inner.checks.helm import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import Outcome

FILES = {
    "c/Chart.yaml": "name: web\n",
    "c/values.yaml": "",
    "c/templates/a.yaml": "",
    "c/templates/b.yaml": "",
}


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def test_a_chart_is_linted_and_rendered_outside_of_the_checkout(bench):
    found = bench.checks(FILES, "helm")

    assert list(found) == ["helm-lint", "helm-template"]
    assert all(str(bench.root) not in value for value in found["helm-lint"].env.values())


def test_a_chart_with_values_for_checks_is_rendered_with_each_of_them(bench):
    files = {**FILES, "c/ci/a-values.yaml": "", "c/ci/b-values.yaml": "", "c/other-values.yaml": ""}

    found = bench.checks(files, "helm")

    assert list(found) == ["helm-lint", "helm-template-a-values", "helm-template-b-values"]
    assert found["helm-template-b-values"].argv[-2:] == ("--values", "ci/b-values.yaml")


def test_a_library_is_only_linted(bench):
    assert list(bench.checks({"Chart.yaml": "name: l\ntype: library\n"}, "helm")) == ["helm-lint"]


def test_a_chart_needs_helm(bench):
    assert {check.missing for check in bench.checks(FILES).values()} == {"helm"}


def test_a_broken_manifest_fails_at_its_place(bench):
    check = bench.checks({"Chart.yaml": "name: [\n"}, "helm")["helm-manifest"]

    assert str(check.look().findings[0]).startswith("Chart.yaml:1:1: yaml: is no valid YAML")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "[ERROR] templates/: parse error at (web/templates/a.yaml:16): missing value for if",
            "c/templates/a.yaml:16: helm: missing value for if",
        ),
        (
            'Error: template: web/templates/a.yaml:16:15: executing "web/templates/a.yaml" at <.Values.no.such>: nil',
            'c/templates/a.yaml:16:15: helm: executing "web/templates/a.yaml" at <.Values.no.such>: nil',
        ),
        (
            "Error: execution error at (web/templates/a.yaml:16:3): need it",
            "c/templates/a.yaml:16:3: helm: need it; values for checks belong into ci/<name>-values.yaml",
        ),
        (
            "[ERROR] templates/b.yaml: unable to parse YAML: error converting YAML to JSON: yaml: line 20: no key",
            "c/templates/b.yaml: helm: unable to parse YAML: error converting YAML to JSON: yaml: line 20: no key",
        ),
        (
            "Error: YAML parse error on web/templates/b.yaml: error converting YAML to JSON: yaml: line 20: no key",
            "c/templates/b.yaml: helm: error converting YAML to JSON: yaml: line 20: no key",
        ),
        (
            "[ERROR] values.yaml: unable to parse YAML: error converting YAML to JSON: yaml: line 162: no node",
            "c/values.yaml:162: helm: unable to parse YAML: error converting YAML to JSON: yaml: line 162: no node",
        ),
        ("[ERROR] Chart.yaml: version is required", "c/Chart.yaml: helm: version is required"),
        ("[ERROR] : unable to load chart", "c/Chart.yaml: helm: unable to load chart"),
    ],
)
def test_an_error_is_placed_in_the_source_as_far_as_helm_tells(bench, line, expected):
    outcome = bench.judge(
        bench.checks(FILES, "helm")["helm-lint"],
        f"==> Linting .\n[INFO] Chart.yaml: icon is recommended\n{line}\n",
        "Error: 1 chart(s) linted, 1 chart(s) failed\n",
        code=1,
    )

    assert places(outcome) == [expected]


def test_a_chart_that_was_not_downloaded_is_not_installed(bench):
    check = bench.checks(FILES, "helm")["helm-template"]
    stderr = "Error: chart dependencies: found in Chart.yaml, but missing in charts/ directory: redis\n"

    outcome = bench.judge(check, "", stderr, code=1)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, "the chart redis is not installed")
    assert check.how_to_install == "run `helm dependency build` in c"


def test_charts_are_linked_to_those_beside_and_inside_them(bench):
    files = {
        "a/Chart.yaml": (
            "name: a\ndependencies:\n- {name: b, repository: 'file://../b'}\n- {name: sub}\n"
            "- {name: redis, repository: 'https://charts.example'}\n"
        ),
        "a/charts/sub/Chart.yaml": "name: sub\n",
        "b/Chart.yaml": "name: b\n",
    }
    bench.write(files)

    assert build(bench.packages(files), [LANGUAGE]).needs["a/Chart.yaml"] == {
        "a/charts/sub/Chart.yaml",
        "b/Chart.yaml",
    }
