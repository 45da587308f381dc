"""What a run says about the checkout it leaves behind."""

import time

import pytest

from gatehouse.core.checkout import Checkout
from gatehouse.core.processes import Completed
from gatehouse.inner.inner_run import Before, changed_by_checks
from gatehouse.inner.model import Blame, Check, CheckResult, Outcome, Package, Phase
from tests.support.checkouts import make_checkout


@pytest.fixture
def left_behind(tmp_path):
    """What is said about a file that was there after a check ran, whose tool always writes some folders."""

    def left_behind(path, writes=()):
        root = make_checkout(tmp_path / "checkout", {"core/pom.xml": "", "README.md": ""})
        before = Before.look(Checkout(root), None, {})
        check = Check(
            Package(root, "core", "core/pom.xml", "maven"),
            "maven-test",
            Phase.UNIT,
            Blame.TEST,
            ("/usr/bin/mvn", "test"),
            writes=writes,
        )
        began = time.time()
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("written")
        done = Completed(check.argv, 0, "", "", 60.0)
        return changed_by_checks(
            before, [CheckResult(check, Outcome.PASSED, completed=done, began=began - 1)]
        )

    return left_behind


@pytest.mark.parametrize("path", ["core/target/classes/A.class", "core/target/x"])
def test_a_folder_that_a_build_always_writes_is_to_be_ignored(left_behind, path):
    problem = left_behind(path, ("target/",))

    assert problem.summary == f"the checkout changed while core/pom.xml::maven-test ran: {path}"
    assert problem.next_step == "add target/ to .gitignore: mvn cannot be told to write it elsewhere"


@pytest.mark.parametrize(
    ("path", "writes"),
    [("core/notes.txt", ("target/",)), ("core/retarget/x", ("target/",)), ("core/target/x", ())],
)
def test_other_files_are_to_be_written_elsewhere(left_behind, path, writes):
    assert "write outside of the tree" in left_behind(path, writes).next_step
