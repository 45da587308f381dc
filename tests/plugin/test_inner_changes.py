"""`pytest -m inner` after a change: what runs, what is known to pass, and what is said about the rest."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support.checkouts import PYTHON, commit, environment, git, inner, write
from tests.support.forked import run_module

#: Two packages whose one check, the syntax of their script, takes no time.
TWO = {"svc/run.sh": "echo svc\n", "api/run.sh": "echo api\n"}
CHANGED, BROKEN = "echo another\n", "if\n"
SVC, API = "svc/run.sh::shell-syntax", "api/run.sh::shell-syntax"


def actions(root):
    """What was decided about each check of a package in the last run."""
    data = json.loads((root / "reports" / "latest" / "attachments" / "inner-plan.json").read_text())
    return {
        each["check"]: each["action"]
        for each in data["checks"]
        if each["check"].partition("::")[2] in ("shell-syntax", "python-test")
    }


def answer(root, *arguments):
    """`gatehouse inner`."""
    return run_module("gatehouse.cli", ["inner", *arguments], root, environment(root))


def bundles(root):
    return len(list((root / "reports").glob("2*")))


def test_what_passed_is_not_run_again_until_its_files_change(checkout):
    root = checkout(TWO)
    inner(root)

    write(root, {"svc/run.sh": CHANGED})
    done = inner(root)

    assert done.returncode == 0
    assert actions(root) == {
        API: "cached",
        SVC: "run",
    }
    assert "checks: 2 ran, 1 cached" in done.stdout


def test_a_pass_that_does_not_tell_whether_a_test_ran_is_named_each_time(checkout):
    settings = "inner: {checks: [{check: 'svc/run.sh::contract', command: ['true'], phase: unit}]}\n"
    root = checkout({**TWO, "gatehouse.yaml": settings})
    told = "; tests not counted: svc/run.sh::contract"

    ran, cached = inner(root), inner(root, "--gate-explain")

    assert told in ran.stdout
    assert "cached  svc/run.sh::contract" in cached.stdout
    assert told in cached.stdout


def test_failures_are_never_served_from_the_cache(checkout):
    root = checkout({**TWO, "svc/run.sh": BROKEN})

    assert inner(root).returncode == 1
    assert inner(root).returncode == 1
    assert actions(root)[SVC] == "run"


def test_everything_runs_again_when_it_is_asked_for(checkout):
    root = checkout(TWO)
    inner(root)

    assert inner(root, "--gate-all").returncode == 0
    assert set(actions(root).values()) == {"run"}


def test_only_what_the_branch_touches_is_run(checkout):
    root = checkout(TWO)
    git(root, "checkout", "-q", "-b", "topic")
    write(root, {"api/run.sh": CHANGED})
    commit(root)

    done = inner(root)

    assert done.returncode == 0
    assert actions(root) == {
        API: "run",
        SVC: "unaffected",
    }
    assert "1 unaffected" in done.stdout


def test_without_a_base_everything_runs_and_that_is_said(checkout):
    root = checkout(TWO)
    git(root, "branch", "-m", "somewhere")

    done = inner(root)

    assert set(actions(root).values()) == {"run"}
    assert "no base to compare with" in done.stdout


def test_a_changed_package_that_no_check_looks_at_is_named(checkout):
    root = checkout(
        {
            **PYTHON,
            "bare/requirements.txt": "",
            "bare/a.py": "",
            "other/requirements.txt": "",
            "other/b.py": "",
        }
    )
    write(root, {"bare/a.py": "def broken(:\n"})

    done = inner(root)

    assert done.returncode == 0, done.stdout
    assert "of what changed, no check looks at: bare/requirements.txt" in done.stdout.splitlines()
    assert re.search(r"no check +bare/requirements.txt: ", inner(root, "--gate-explain").stdout)


def test_packages_that_no_check_looks_at_are_counted_where_everything_is_checked(checkout):
    bare = {f"{name}/{file}": "" for name in "abcdefg" for file in ("requirements.txt", "a.py")}

    done = inner(checkout({**PYTHON, **bare}))

    assert "no check looks at: a/requirements.txt, b/requirements.txt, " in done.stdout
    assert "e/requirements.txt and 2 more (--gate-explain names them)" in done.stdout


def test_each_decision_is_explained(checkout):
    root = checkout(TWO)
    inner(root)
    write(root, {"svc/run.sh": CHANGED})

    done = inner(root, "--gate-explain")

    assert f"cached  {API}: passed with the same inputs at" in done.stdout
    assert f"run     {SVC}: svc/run.sh changed" in done.stdout


def test_a_base_that_is_no_commit_is_a_mistake_of_the_command(checkout):
    done = inner(checkout(TWO), "--gate-base=no-such-branch")

    assert done.returncode == 4
    assert "--gate-base no-such-branch names no commit" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_another_work_tree_shares_the_passes(checkout):
    root = checkout(TWO)
    inner(root)
    git(root, "worktree", "add", "-q", "../other", "-b", "other")

    inner(root.parent / "other")

    assert set(actions(root.parent / "other").values()) == {"cached"}


def test_a_forged_pass_is_not_believed(checkout):
    root = checkout(TWO)
    inner(root)
    write(root, {"svc/run.sh": BROKEN})
    inner(root)
    failing = json.loads((root / "reports/latest/attachments/inner-plan.json").read_text())["checks"][0][
        "key"
    ]
    passes = root.parent / "cache" / "gatehouse" / "inner" / "passes"
    known = next(path for path in passes.glob("??/*.json"))
    forged = passes / failing[:2] / f"{failing}.json"
    forged.parent.mkdir(exist_ok=True)
    forged.write_bytes(known.read_bytes())

    assert inner(root).returncode == 1


def test_nothing_changed_since_a_pass_is_answered_without_a_run(checkout):
    root = checkout(TWO)
    inner(root)
    before = bundles(root)

    done = answer(root)

    assert done.returncode == 0
    assert "inner: passed (3 passed); nothing changed since" in done.stdout
    assert len(done.stdout.splitlines()) <= 4
    assert bundles(root) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root, {"svc/run.sh": CHANGED}),
        lambda root: write(root, {"svc/new.txt": ""}),
        lambda root: (root / "api" / "run.sh").chmod(0o755),
        lambda root: commit_empty(root),
        lambda root: (root / "reports" / "latest" / "manifest.json").unlink(),
        lambda root: next((root.parent / "cache/gatehouse/inner/answers").glob("*.json")).write_text("{}"),
    ],
    ids=["a file", "a new file", "a mode", "a commit", "the evidence is gone", "the answer is damaged"],
)
def test_anything_that_changed_makes_a_new_run(checkout, change):
    root = checkout(TWO)
    inner(root)
    before = bundles(root)
    change(root)

    done = answer(root)

    assert done.returncode == 0
    assert "nothing changed since" not in done.stdout
    assert bundles(root) == before + 1


def commit_empty(root):
    git(root, "commit", "-q", "--allow-empty", "-m", "empty")


def test_a_variable_that_checks_are_given_makes_a_new_run(checkout):
    root = checkout(TWO)
    inner(root)

    done = inner(root, env={"PYTHONHASHSEED": "7"})

    assert "3 ran" in done.stdout


def test_a_variable_that_the_settings_name_makes_a_new_run(checkout):
    root = checkout({**TWO, "gatehouse.yaml": "inner:\n  environment: [SHOP_DATABASE]\n"})
    inner(root, env={"SHOP_DATABASE": "one"})

    assert "nothing changed since" in inner(root, env={"SHOP_DATABASE": "one"}).stdout
    assert "nothing changed since" not in inner(root, env={"SHOP_DATABASE": "two"}).stdout


def test_a_failure_is_no_answer_for_the_next(checkout):
    root = checkout(TWO)
    inner(root)
    write(root, {"svc/run.sh": BROKEN})
    assert inner(root).returncode == 1
    write(root, {"svc/run.sh": TWO["svc/run.sh"]})

    assert answer(root).returncode == 0
    assert bundles(root) == 3


def test_for_hooks_a_failure_is_on_stderr_with_exit_code_2_and_a_pass_is_silent(checkout):
    root = checkout({**TWO, "svc/run.sh": BROKEN})

    red = answer(root, "--hook")
    write(root, {"svc/run.sh": TWO["svc/run.sh"]})
    green = answer(root, "--hook")

    assert (red.returncode, red.stdout) == (2, "")
    assert "svc/run.sh:" in red.stderr
    assert len(red.stderr) < 2000
    assert (green.returncode, green.stdout, green.stderr) == (0, "", "")


def test_the_tests_that_checks_ran_are_in_junit_and_in_allure(checkout):
    root = checkout(PYTHON)

    inner(root)

    cases = list(ET.parse(root / "reports/latest/phase1/junit.xml").iter("testcase"))
    names = {(case.get("classname"), case.get("name")) for case in cases}
    allure = [
        json.loads(path.read_text())
        for path in Path(root, "reports/latest/allure-results").glob("*-result.json")
    ]
    assert [
        name for kind, name in names if kind == "svc.pyproject.toml::python-test" and "test_double" in name
    ]
    assert len({each["historyId"] for each in allure}) == len(allure) >= 2


def test_findings_are_in_sarif_and_beside_the_code_on_github(checkout):
    root = checkout({**PYTHON, "svc/svc.py": "def double(n):\n    return n * 3\n"})

    done = inner(root, env={"GITHUB_ACTIONS": "true"})

    result = json.loads((root / "reports/latest/findings.sarif").read_text())["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("svc/test_svc.py", 5)
    assert (
        "::error file=svc/test_svc.py,line=5,title=svc/pyproject.toml%3A%3Apython-test::test_double:"
        in done.stdout
    )


def test_the_error_shows_the_line_it_is_about(checkout):
    root = checkout({**PYTHON, "svc/svc.py": "def double(n):\n    return n * 3\n"})

    assert "> 5 |     assert double(2) == 4" in inner(root).stdout
