"""Dockerfiles. What is read out of hadolint's output was printed by hadolint 2.15."""

import json

from gatehouse.inner.model import Outcome

OUTPUT = json.dumps(
    [
        {
            "code": "DL3006",
            "column": 1,
            "file": "./Dockerfile",
            "level": "warning",
            "line": 1,
            "message": "Tag it",
        },
        {
            "code": "DL1000",
            "column": 4,
            "file": "./Dockerfile",
            "level": "error",
            "line": 3,
            "message": "no space",
        },
    ]
)


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def test_the_dockerfiles_of_a_folder_are_checked_together_and_other_files_are_none(bench):
    files = dict.fromkeys(
        (
            "Dockerfile",
            "Dockerfile.web",
            "api.Dockerfile",
            "Containerfile",
            "Dockerfile.dockerignore",
            "Docker",
        ),
        "",
    )

    argv = bench.checks(files, "hadolint")["dockerfile-lint"].argv

    assert argv[-4:] == ("./Containerfile", "./Dockerfile", "./Dockerfile.web", "./api.Dockerfile")


def test_without_hadolint_or_its_configuration_there_is_no_check(bench):
    assert bench.checks({"Dockerfile": ""}) == {}


def test_hadolint_is_missed_where_it_is_configured(bench):
    check = bench.checks({"x/Dockerfile": "", ".hadolint.yaml": ""})["dockerfile-lint"]

    assert check.missing == "hadolint"


def test_without_a_configuration_only_errors_count(bench):
    check = bench.checks({"x/Dockerfile": ""}, "hadolint")["dockerfile-lint"]

    assert places(bench.judge(check, OUTPUT, code=1)) == ["x/Dockerfile:3:4: DL1000: no space"]
    assert bench.judge(check, OUTPUT).outcome is Outcome.PASSED


def test_with_a_configuration_everything_that_makes_hadolint_fail_counts(bench):
    check = bench.checks({"x/Dockerfile": "", ".hadolint.yaml": ""}, "hadolint")["dockerfile-lint"]

    assert check.argv[check.argv.index("--config") + 1] == "../.hadolint.yaml"
    assert len(places(bench.judge(check, OUTPUT, code=1))) == 2
