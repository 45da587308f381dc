"""How suites are chosen, and what happens where pytest is used for something else."""

import pytest


def test_a_suite_is_run_by_its_marker_alone(suite):
    run = suite(
        {
            "suites/smoke/test_a.py": "def test_s():\n    pass\n",
            "suites/task/test_b.py": "def test_t():\n    1/0\n",
        }
    )

    assert run.exit_code == 0
    assert run.statuses == {"test_s": "passed"}
    assert run.manifest["suites"] == ["smoke"]


def test_a_suite_can_be_run_by_its_path(suite):
    run = suite("def test_s():\n    pass\n", "suites/smoke", mark=False)

    assert run.manifest["suites"] == ["smoke"]


def test_the_folder_of_suites_can_be_set(suite):
    run = suite(
        {"checks/smoke/test_a.py": "def test_s():\n    pass\n"},
        files={"pytest.ini": "[pytest]\ngatehouse_suites = checks\n"},
    )

    assert run.statuses == {"test_s": "passed"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"suites/other/test_a.py": "def test_a():\n    pass\n"},
            "must belong to exactly one suite, but has none",
        ),
        (
            {"suites/smoke/test_a.py": "import pytest\n@pytest.mark.task\ndef test_a():\n    pass\n"},
            "must belong to exactly one suite, but has smoke and task",
        ),
    ],
    ids=["none", "two"],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "two workers"])
def test_a_test_with_no_suite_or_two_cannot_be_collected(suite, monkeypatch, files, words, workers):
    for name, value in {"ARGOCD_SERVER": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    run = suite(
        files, "suites", "-m", "smoke or other" if "other" in str(files) else "smoke", *workers, mark=False
    )

    assert run.exit_code in (1, 2)
    assert words in run.output


def test_a_misspelt_marker_is_refused_by_pytest_itself(suite):
    run = suite("def test_s():\n    pass\n", "-m", "smok", "--strict-markers", mark=False)

    assert run.exit_code in (4, 5)
    assert not run.folder.exists()


def test_a_missing_suite_is_said_with_a_way_forward(suite):
    run = suite({"suites/smoke/test_a.py": ""}, "-m", "preview", mark=False)

    assert run.exit_code == 4
    assert "there is no folder" in run.output
    assert "gatehouse_suites" in run.output


def test_other_tests_of_a_repository_are_left_alone(pytester):
    pytester.makepyfile(test_own="def test_own():\n    pass\n")

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=1)
    assert not (pytester.path / "reports").exists()
    assert "gatehouse" not in result.stdout.str().replace("plugins:", "").split("collected")[1]


def test_collecting_only_touches_nothing(suite, monkeypatch):
    monkeypatch.delenv("CODER_URL")
    run = suite("def test_s():\n    pass\n", "--collect-only", "-q")

    assert run.exit_code == 0
    assert "test_s" in run.output
    assert not run.folder.exists()


def test_help_starts_nothing_and_shows_the_options(suite, monkeypatch):
    monkeypatch.delenv("CODER_URL")
    run = suite("", "--help")

    for option in (
        "--gate-target",
        "--gate-pr",
        "--gate-commit",
        "--gate-evidence",
        "--gate-repo",
        "--gate-preview-url",
    ):
        assert option in run.output
    assert not run.folder.exists()


def test_the_inner_suite_runs_alone(suite):
    run = suite("def test_s():\n    pass\n", "-m", "inner or smoke", mark=False)

    assert run.exit_code == 4
    assert "the inner suite runs alone" in run.output
