"""The real cargo."""

import os
import shutil

import pytest

from tests.support.cargo_packages import TINY
from tests.support.inner_checks import places


@pytest.mark.skipif(not shutil.which("cargo"), reason="needs cargo")
def test_the_real_cargo_finds_each_fault_and_leaves_nothing_in_the_tree(bench):
    lock = 'version = 4\n\n[[package]]\nname = "tiny"\nversion = "0.1.0"\n'
    good = (
        "pub fn one() -> i32 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n"
        "        assert_eq!(super::one(), 1);\n    }\n}\n"
    )
    files = {**TINY, "tiny/src/lib.rs": good, "tiny/Cargo.lock": lock}

    def outcomes(source):
        found = bench.checks({**files, "tiny/src/lib.rs": source}, path=os.environ["PATH"])
        return {name: bench.run(check, os.environ) for name, check in found.items()}

    right = outcomes(good)
    wrong = outcomes(good.replace("    1\n", "      2\n"))
    broken = outcomes(good.replace("    1\n", "    one\n"))

    assert {str(result.outcome) for result in right.values()} == {"passed"}
    assert places(wrong["rust-test"])[0].startswith("tiny/src/lib.rs:9:9: src/lib.rs::tests::adds: assertion")
    if "rust-fmt" in wrong:
        assert [finding.line for finding in wrong["rust-fmt"].findings] == [2]
    for name in {"rust-clippy", "rust-check", "rust-list", "rust-test"} & set(broken):
        first = broken[name].findings[0]
        assert (first.path, first.line, first.column, first.rule) == ("tiny/src/lib.rs", 2, 5, "E0308")
    assert sorted(path.name for path in (bench.root / "tiny").iterdir()) == [
        *("Cargo.lock", "Cargo.toml", "src", "tests"),
    ]
