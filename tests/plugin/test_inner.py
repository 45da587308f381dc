"""`pytest -m inner` in checkouts of other people."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkouts import PYTHON, inner

MONOREPO = Path(__file__).parents[2] / "fixtures" / "platform" / "monorepo"

#: A repository whose own configuration and conftest would break any pytest that reads them.
HOSTILE = {
    "conftest.py": "raise RuntimeError('imported the conftest of the target')\n",
    "pytest.ini": "[pytest]\naddopts = --no-such-option\nfilterwarnings = error\nxfail_strict = maybe\n",
    "test_root.py": "raise RuntimeError('imported a test of the target')\n",
    "setup.py": "raise RuntimeError('executed the target')\n",
}


def test_a_checkout_passes_its_own_checks_and_stays_clean(checkout):
    root = checkout(PYTHON)

    done = inner(root)

    assert done.returncode == 0, done.stdout
    assert done.digest["counts"] == {"collected": 3, "passed": 3}
    status = subprocess.run(
        ["git", "-C", str(root), "status", "--porcelain"], capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def test_nothing_of_a_hostile_target_is_read_or_imported(checkout):
    root = checkout(
        {
            **{f"lib/{name}": text for name, text in PYTHON.items()},
            **{k: v for k, v in HOSTILE.items() if k == "conftest.py"},
        }
    )

    done = inner(root)

    assert "imported the conftest" not in done.stdout + done.stderr
    assert done.digest["counts"]["passed"] == 3


def test_a_target_whose_pytest_configuration_is_broken_is_still_checked(checkout):
    root = checkout({**PYTHON, **{name: text for name, text in HOSTILE.items() if name != "setup.py"}})

    done = inner(root)

    assert done.digest["counts"]["passed"] == 3, done.stdout + done.stderr


def test_a_failing_test_is_the_first_error_with_its_place_and_the_command_to_run_again(checkout):
    root = checkout({**PYTHON, "svc/svc.py": "def double(n):\n    return n * 3\n"})

    done = inner(root)

    error = done.digest["first_error"]
    assert done.returncode == 1
    assert error["summary"].startswith("svc/test_svc.py:5: test_double: assert 6 == 4")
    assert error["rerun"] == "pytest -m inner svc/pyproject.toml::python-test"
    assert inner(root, "svc/pyproject.toml::python-test").returncode == 1


def test_every_language_of_the_sample_is_found(checkout):
    root = checkout({}, base=MONOREPO)

    done = inner(root, "--collect-only", "-q", env={"PATH": os.environ["PATH"]})

    for item in (
        "packages/money/go.mod::go-test",
        "packages/cart/package.json::node-test",
        "services/platform/pyproject.toml::python-test",
    ):
        assert item in done.stdout


def test_what_would_run_is_listed_with_its_reasons_and_nothing_is_run(checkout):
    root = checkout({**PYTHON, "svc/test_svc.py": "def test_red():\n    raise SystemExit('it ran')\n"})

    done = inner(root, "--collect-only", "-q", "--gate-explain")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert re.search(r"run +svc/pyproject.toml::python-test: ", done.stdout)
    assert "3 tests collected" in done.stdout
    assert not (root / "reports").exists()


def test_pytests_own_words_name_checks_as_they_can_be_asked_for(checkout):
    done = inner(checkout(PYTHON), "-v")

    assert "svc/pyproject.toml::python-test PASSED" in done.stdout


def test_a_folder_for_caches_that_cannot_be_made_is_said_in_one_sentence(checkout):
    root = checkout(PYTHON)
    (root.parent / "file").write_text("")

    done = inner(root, env={"XDG_CACHE_HOME": str(root.parent / "file")})

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: the folder for caches cannot be made" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_absent_toolchain_is_not_installed_and_the_fault_of_the_environment(checkout):
    root = checkout({"m/go.mod": "module m\n\ngo 1.21\n", "m/a.go": "package m\n"})
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"

    done = inner(
        root, env={"PATH": ":".join(each for each in path.split(":") if not (Path(each) / "go").exists())}
    )

    assert done.returncode == 1
    assert done.digest["first_error"]["failure_class"] == "environment"
    assert "is not installed" in done.digest["first_error"]["summary"]
    assert "install Go" in done.digest["first_error"]["next_step"]


def test_a_silenced_check_is_skipped_with_its_reason_and_is_no_pass_by_itself(checkout):
    settings = "inner:\n  silence:\n    - {check: python-*, reason: moved to another runner}\n"
    root = checkout({**PYTHON, "gatehouse.yaml": settings})

    done = inner(root)

    assert done.returncode == 5
    assert done.digest["verdict"] == "nothing ran"


def test_a_checkout_without_any_package_is_no_pass(checkout):
    done = inner(checkout({"README.md": "nothing to check\n"}))

    assert done.returncode == 5
    assert done.digest["verdict"] == "nothing ran"


def test_a_check_that_changes_the_checkout_is_red_whatever_it_says(checkout):
    writes = "from pathlib import Path\n\n\ndef test_writes():\n    Path('left-behind.txt').write_text('x')\n"
    root = checkout({**PYTHON, "svc/test_svc.py": writes})

    done = inner(root)

    assert done.returncode == 1
    assert (
        "while svc/pyproject.toml::python-test ran: svc/left-behind.txt"
        in done.digest["first_error"]["summary"]
    )


def test_the_subject_is_what_is_checked_out_and_local_changes_are_said(checkout):
    root = checkout(PYTHON)
    head = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    inner(root)
    manifest = json.loads((root / "reports/latest/manifest.json").read_text())
    assert (manifest["subject"]["commit"], manifest["subject"]["dirty"]) == (head, False)

    (root / "new.txt").write_text("x")
    inner(root)
    assert json.loads((root / "reports/latest/manifest.json").read_text())["subject"]["dirty"] is True


def test_it_works_from_a_folder_below_and_for_another_checkout(checkout, tmp_path):
    root = checkout(PYTHON)

    assert (
        inner(root, "test_svc.py".replace("test_svc.py", "pyproject.toml"), cwd=root / "svc").returncode == 0
    )
    assert inner(root, "--gate-repo", str(root), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere",), "no check matches nowhere"),
        (("/etc",), "outside of the checkout"),
        (("--gate-repo", "/nonexistent"), "is not a folder"),
    ],
)
def test_a_selection_that_matches_nothing_is_refused(checkout, arguments, words):
    done = inner(checkout(PYTHON), *arguments)

    assert done.returncode == 4
    assert words in done.stderr


@pytest.mark.parametrize(
    "conftest",
    [
        "import sys\nsys.exit(0)\n",
        "import os\nos._exit(0)\n",
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    ],
    ids=["exits", "ends the process", "sets the exit code"],
)
def test_a_conftest_that_hides_a_failing_test_does_not_make_it_pass(checkout, conftest):
    root = checkout(
        {"pyproject.toml": "", "conftest.py": conftest, "test_a.py": "def test_a():\n    assert 1 == 2\n"}
    )

    done = inner(root)

    assert done.returncode == 1
    assert "pyproject.toml::python-" in done.digest["first_error"]["test"]


def test_a_file_that_was_deleted_but_is_still_tracked_is_passed_over(checkout):
    root = checkout({"pyproject.toml": "", "test_a.py": "def test_a():\n    pass\n", "test_b.py": "x"})
    (root / "test_b.py").unlink()

    assert inner(root).returncode == 0


def test_a_linter_that_is_configured_to_fix_only_looks(checkout):
    settings = "[tool.ruff]\nfix = true\n[tool.ruff.format]\n"
    root = checkout({"pyproject.toml": settings, "a.py": "import os\nx = {1:2}\n"})

    done = inner(root, "--tb=short")

    assert done.returncode == 1
    assert "a.py:2: format: is not formatted" in done.stdout
    assert "a.py:1:8: F401" in done.stdout
    assert (root / "a.py").read_text() == "import os\nx = {1:2}\n"


def test_outside_of_a_checkout_it_says_so(tmp_path):
    done = inner(tmp_path)

    assert done.returncode == 4
    assert "is not inside a git checkout" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_are_the_size_of_the_pool_and_not_of_another_plugin(checkout):
    done = inner(checkout(PYTHON), "-n", "2")

    assert done.returncode == 0
    assert not re.search(r"\[gw\d\]|workers? \[", done.stdout)
