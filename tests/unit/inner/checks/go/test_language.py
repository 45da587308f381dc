"""Which checks a Go module has, by its sources, build tags and configurations."""

import pytest

from gatehouse.inner.checks.go.files import constraint_holds
from gatehouse.inner.model import Phase
from tests.support.go_modules import ADD, FILES, INTEGRATION, MODULE, PASSES


def test_a_module_is_formatted_vetted_built_listed_and_tested(checkout):
    checks = checkout(FILES).checks

    assert list(checks) == ["go-fmt", "go-vet", "go-build", "go-listing", "go-test"]
    assert checks["go-test"].phase is Phase.UNIT
    assert checks["go-listing"].phase is Phase.CONTRACT


@pytest.mark.parametrize(
    "files",
    [{"m/tools.go": "//go:build tools\n\npackage m\n"}, {"m/a_plan9.go": "package m\n"}],
    ids=["a list of tools", "another system"],
)
def test_a_module_of_which_nothing_is_built_on_this_machine_is_only_formatted(checkout, files):
    assert list(checkout({"m/go.mod": MODULE, **files}).checks) == ["go-fmt"]


@pytest.mark.parametrize(
    "test",
    [
        "",
        "package m\n\nfunc TestMain(m *testing.M) {}\n",
        "package m\n\nfunc Testament() {}\n",
        "package m\n\nfunc ExampleAdd() { Add(1, 2) }\n",
        "package m\n\nfunc BenchmarkAdd(b *testing.B) {}\n",
        "//go:build cluster\n\npackage m\n\nfunc TestAdd(t *testing.T) {}\n",
        "//go:build integration && e2e\n\npackage m\n\nfunc TestAdd(t *testing.T) {}\n",
        "//go:build ignore\n\npackage m\n\nfunc TestAdd(t *testing.T) {}\n",
    ],
)
def test_a_module_without_tests_that_run_here_has_no_test_check(checkout, test):
    assert list(checkout(FILES | {"m/a_test.go": test}).checks) == ["go-fmt", "go-vet", "go-build"]


@pytest.mark.parametrize(
    "name", ["m/testdata/a_test.go", "m/_old/a_test.go", "m/.x/a_test.go", "m/a_windows_test.go"]
)
def test_files_that_go_itself_passes_over_are_no_tests(checkout, name):
    assert list(checkout({"m/go.mod": MODULE, "m/a.go": ADD, name: PASSES}).checks) == [
        "go-fmt",
        "go-vet",
        "go-build",
    ]


def test_broken_sources_in_testdata_are_not_formatted(checkout):
    files = FILES | {"m/testdata/broken.go": "x", "m/with space.go": ADD}

    assert checkout(files).checks["go-fmt"].argv[2:] == ("a.go", "a_test.go", "with space.go")


def test_a_module_without_any_source_is_not_checked(checkout):
    assert checkout({"go.mod": MODULE}).checks == {}


def test_integration_tests_run_by_name_in_their_own_phase_and_folders(checkout):
    checks = checkout(FILES | {"m/sub/i_test.go": INTEGRATION, "m/sub/u_test.go": PASSES}).checks

    assert checks["go-integration"].argv[1:] == (
        "test",
        "-json",
        "-tags=integration",
        "-run=^(TestReal)$",
        "./sub",
    )
    assert checks["go-integration"].phase is Phase.INTEGRATION
    assert checks["go-integration-listing"].argv[-2:] == ("-tags=integration", "./sub")


def test_a_module_with_integration_tests_alone_has_no_unit_check(checkout):
    assert list(checkout({"go.mod": MODULE, "i_test.go": INTEGRATION}).checks) == [
        "go-fmt",
        "go-integration-listing",
        "go-integration",
    ]


def test_absent_go_is_not_installed_and_no_failure_of_the_module(checkout):
    assert {check.missing for check in checkout(FILES, tools=()).checks.values()} == {"gofmt", "go"}


def test_golangci_lint_runs_only_where_it_is_configured_and_in_the_words_of_its_version(checkout):
    first = checkout(FILES | {".golangci.yml": "linters: {}\n"}).checks["go-lint"]

    assert "--out-format=json" in first.argv
    assert (first.missing, first.resource) == ("golangci-lint", "golangci-lint")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".golangci.yml", 'version: "2"\n'),
        (".golangci.toml", "version = '2'\n"),
        (".golangci.json", '{\n"version": "2",\n}'),
    ],
)
def test_a_configuration_of_golangci_lint_2_is_recognised(checkout, name, text):
    assert "--output.json.path=stdout" in checkout(FILES | {f"m/{name}": text}).checks["go-lint"].argv


@pytest.mark.parametrize(
    ("constraint", "holds"),
    [
        ("integration", True),
        ("!integration", False),
        ("integration && !cluster", True),
        ("(linux || darwin) && integration", True),
        ("cluster", False),
        ("go1.21", True),
        ("integration // why", True),
        ("&& broken", True),
    ],
)
def test_build_constraints_are_understood(constraint, holds):
    assert constraint_holds(constraint, {"linux", "integration"}) is holds
