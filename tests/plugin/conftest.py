import json
import textwrap

import pytest

from gatehouse.evidence.manifest import read_manifest, verify_files
from gatehouse.evidence.record import read_record
from gatehouse.evidence.results import read_results
from tests.support.checkouts import make_checkout
from tests.support.forked import run_pytest

#: A target that needs no server, because the tests in these runs ask none.
NOWHERE = {"CODER_URL": "http://127.0.0.1:9", "CODER_SESSION_TOKEN": "planted-secret-token-1"}


class Run:
    """A finished pytest run and what it left behind."""

    def __init__(self, root, exit_code, stdout, stderr=""):
        self.exit_code, self.stdout, self.output = exit_code, stdout, stdout + stderr
        self.folder = root / "reports" / "latest"

    @property
    def manifest(self):
        return read_manifest(self.folder)

    @property
    def results(self):
        return read_results(read_record(self.folder / "record.jsonl"))

    @property
    def statuses(self):
        return {test.id.split("::")[-1]: str(test.status) for test in self.results.tests.values()}

    @property
    def digest(self):
        return json.loads((self.folder / "digest.json").read_text())

    def allure(self):
        """Statuses in the Allure results by test id."""
        found = {}
        for path in (self.folder / "allure-results").glob("*-result.json"):
            data = json.loads(path.read_text())
            ids = [label["value"] for label in data["labels"] if label["name"] == "gatehouse_id"]
            found[ids[0].split("::")[-1]] = data["status"]
        return found

    def require_sound(self):
        """The bundle is whole, and all its parts agree."""
        assert verify_files(self.folder, self.manifest) == []
        assert self.manifest["counts"] == self.results.counts
        assert self.manifest["exit_status"] == self.exit_code
        assert set(self.allure()) == set(self.statuses)
        return self


@pytest.fixture
def suite(pytester, monkeypatch):
    """Runs pytest as a process of its own on a suite made of the given test files."""
    for name in ("GITHUB_TOKEN", "GATEHOUSE_CONFIG", "GATEHOUSE_TARGET", "GATEHOUSE_PR", "GATEHOUSE_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)

    def run(tests, *arguments, files=None, suite_name="smoke", mark=True, timeout=60):
        sources = {f"suites/{suite_name}/test_a.py": tests} if isinstance(tests, str) else tests
        for name, text in {**sources, **(files or {})}.items():
            path = pytester.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        selected = ("-m", suite_name) if mark else ()
        done = run_pytest([*selected, *arguments], pytester.path, timeout=timeout)
        return Run(pytester.path, done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def checkout(tmp_path):
    """Makes a git checkout of files."""
    return lambda files, base=None: make_checkout(tmp_path / "checkout", files, base)
