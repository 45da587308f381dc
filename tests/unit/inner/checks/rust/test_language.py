"""Which checks a Cargo package has, by its manifest and its sources."""

import pytest

from gatehouse.inner.checks.rust.language import LANGUAGE
from gatehouse.inner.graph import build
from tests.support.cargo_packages import ALL, MANIFEST, TINY, WORKSPACE


def test_a_package_is_formatted_linted_listed_and_tested_without_network_or_a_new_lockfile(bench):
    found = bench.checks(TINY, *ALL)

    assert list(found) == ["rust-fmt", "rust-clippy", "rust-list", "rust-test"]
    assert found["rust-test"].argv[1:] == (
        *("test", "--offline", "--locked", "--package", "tiny", "--no-fail-fast"),
    )
    assert found["rust-test"].resource == "cargo"
    assert str(bench.root) not in found["rust-test"].env["CARGO_TARGET_DIR"]


def test_without_clippy_the_compiler_checks_and_without_rustfmt_nobody_formats(bench):
    assert list(bench.checks(TINY, "cargo")) == ["rust-check", "rust-list", "rust-test"]


def test_clippy_and_rustfmt_are_missed_where_the_repository_configures_them(bench):
    found = bench.checks({**TINY, "clippy.toml": "", "rustfmt.toml": ""}, "cargo")

    assert {check.name: check.missing for check in found.values() if check.missing} == {
        "rust-fmt": "cargo-fmt",
        "rust-clippy": "cargo-clippy",
    }


def test_benchmarks_that_need_a_nightly_compiler_are_not_compiled(bench):
    files = {**TINY, "tiny/benches/fast.rs": "#![feature(test)]\nextern crate test;\n"}

    assert bench.checks(files, *ALL)["rust-clippy"].argv[3:7] == ("--lib", "--bins", "--examples", "--tests")


def test_other_benchmarks_are_compiled_with_everything_else(bench):
    files = {**TINY, "tiny/benches/fast.rs": "fn main() {}\n"}

    assert "--all-targets" in bench.checks(files, *ALL)["rust-clippy"].argv


def test_absent_cargo_is_not_installed(bench):
    assert {check.missing for check in bench.checks(TINY).values()} == {"cargo"}


def test_a_package_without_tests_has_no_test_check(bench):
    files = {"Cargo.toml": MANIFEST, "src/main.rs": '#[cfg(feature = "test")]\nfn main() {}\n'}

    assert list(bench.checks(files, *ALL)) == ["rust-fmt", "rust-clippy"]


@pytest.mark.parametrize(
    "source",
    [
        "#[tokio::test]\nasync fn a() {}",
        "#[rstest]\nfn a() {}",
        "#[test_case(1)]\nfn a(_: i32) {}",
        "proptest! {}",
        "/// ```\n/// let a = 1;\n/// ```\npub fn a() {}",
        "/// ```text\n/// none\n/// ```\n///\n/// ```rust,no_run\n/// ```\npub fn a() {}",
    ],
)
def test_every_kind_of_test_is_seen(bench, source):
    assert "rust-test" in bench.checks({"Cargo.toml": MANIFEST, "src/lib.rs": source}, *ALL)


def test_a_test_that_is_commented_out_is_none(bench):
    files = {"Cargo.toml": MANIFEST, "src/main.rs": "// #[test]\n// fn a() {}\nfn main() {}\n"}

    assert "rust-test" not in bench.checks(files, *ALL)


@pytest.mark.parametrize("fence", ["text", "ignore", "toml"])
def test_what_is_no_rust_in_documentation_is_no_test(bench, fence):
    source = f"/// ```{fence}\n/// x\n/// ```\npub fn a() {{}}\n"

    assert "rust-test" not in bench.checks({"Cargo.toml": MANIFEST, "src/lib.rs": source}, *ALL)


def test_targets_named_after_integration_tests_run_in_their_phase_and_cluster_tests_never(bench):
    files = {
        **TINY,
        "tiny/tests/integration_store.rs": "#[test]\nfn a() {}",
        "tiny/tests/e2e.rs": "#[test]\nfn a() {}",
        "tiny/tests/cluster/main.rs": "#[test]\nfn a() {}",
    }

    found = bench.checks(files, *ALL)

    assert found["rust-test"].argv[7:] == ("--lib", "--bins", "--test", "whole")
    assert found["rust-integration"].argv[7:] == ("--test", "integration_store")
    assert found["rust-integration"].phase == "integration-local"


def test_a_feature_named_after_integration_tests_is_switched_on_in_their_phase(bench):
    files = {**TINY, "tiny/Cargo.toml": f"{MANIFEST}[features]\nintegration = []\n"}

    found = bench.checks(files, *ALL)

    assert found["rust-test"].argv[7:] == ()
    assert found["rust-integration"].argv[7:] == (
        *("--features", "integration", "--lib", "--bins", "--test", "whole"),
    )


def test_examples_in_documentation_run_by_themselves_where_targets_are_chosen(bench):
    files = {
        "Cargo.toml": MANIFEST,
        "src/lib.rs": "/// ```\n/// ```\npub fn a() {}",
        "tests/e2e.rs": "#[test]\nfn a() {}",
    }

    found = bench.checks(files, *ALL)

    assert list(found)[2:] == ["rust-list", "rust-doctest"]
    assert found["rust-doctest"].argv[-1] == "--doc"


def test_a_target_with_a_main_of_its_own_is_compiled_instead_of_listed(bench):
    files = {**TINY, "tiny/Cargo.toml": f'{MANIFEST}[[test]]\nname = "whole"\nharness = false\n'}

    assert bench.checks(files, *ALL)["rust-list"].argv[-1] == "--no-run"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[package]\nname = "tiny', 2),
        ("[package\n", 1),
        ("[package]\nversion = 1\n", 1),
        ("package = 1\n", 1),
    ],
)
def test_a_broken_manifest_fails_at_its_place_without_running_anything(bench, text, line):
    found = bench.checks({"a/Cargo.toml": text}, *ALL)

    assert list(found) == ["rust-manifest"]
    finding = found["rust-manifest"].look().findings[0]
    assert (finding.path, finding.line, finding.rule) == ("a/Cargo.toml", line, "Cargo.toml")


def test_packages_are_linked_by_name_and_to_their_workspace_which_has_no_checks(bench):
    found = bench.checks(WORKSPACE, *ALL, only="")
    graph = build(bench.packages(WORKSPACE), [LANGUAGE])

    assert found == {}
    assert graph.needs["crates/app/Cargo.toml"] == {"Cargo.toml", "crates/lib/Cargo.toml", "tool/Cargo.toml"}
    assert graph.needs["tool/Cargo.toml"] == {"Cargo.toml"}
