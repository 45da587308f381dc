"""Go modules: which checks they have, and what is read out of what Go says (the real one, where it is here)."""

import json
import shutil

import pytest

from gatehouse.inner.checks.go.files import constraint_holds
from gatehouse.inner.checks.go.modules import directives
from gatehouse.inner.model import ChildOutcome, Outcome, Phase
from tests.support.inner_checks import Checkout, places, result

MODULE = "module example.org/m\n\ngo 1.22\n"
ADD = "package m\n\nfunc Add(a, b int) int { return a + b }\n"
PASSES = 'package m\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {}\n'
INTEGRATION = '//go:build integration\n\npackage sub\n\nimport "testing"\n\nfunc TestReal(t *testing.T) {}\n'

FILES = {"m/go.mod": MODULE, "m/a.go": ADD, "m/a_test.go": PASSES}

#: What Go says about a module that it may not fetch.
OFF = "module lookup disabled by GOPROXY=off"

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="these run the real Go, which CI has")


@pytest.fixture
def checkout(tmp_path):
    return lambda files, tools=("go", "gofmt"): Checkout(tmp_path, files, tools)


@pytest.fixture
def real(tmp_path):
    """A module `m` of these files with this machine's Go."""
    return lambda **files: Checkout(
        tmp_path,
        {"m/go.mod": MODULE, "m/a.go": ADD} | {f"m/{name}.go": text for name, text in files.items()},
        None,
    )


# --- which checks there are ---


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


def test_a_module_of_a_workspace_is_built_with_it_and_others_are_not(checkout):
    made = checkout(
        FILES | {"go.work": "go 1.22\n\nuse (\n\t./m\n)\n", "n/go.mod": "module n\n", "n/n.go": "package n\n"}
    )
    environments = {
        check.package.folder: check.env["GOWORK"] for package in made.packages for check in _of(made, package)
    }

    assert environments == {"m": str(made.root / "go.work"), "n": "off"}


def _of(made, package):
    from gatehouse.inner.checks.go.language import checks

    return [check for check in checks(package, made.tools) if check.name == "go-vet"]


def test_vendored_modules_are_used_where_they_are(checkout):
    assert checkout(FILES).checks["go-vet"].env["GOFLAGS"].startswith("-mod=readonly")


def test_vendored_modules_are_preferred(checkout):
    assert (
        checkout(FILES | {"m/vendor/modules.txt": ""})
        .checks["go-vet"]
        .env["GOFLAGS"]
        .startswith("-mod=vendor")
    )


def test_a_module_file_without_a_module_line_is_its_only_check(checkout):
    made = checkout(FILES | {"m/go.mod": "go 1.22\n"})

    assert list(made.checks) == ["go-manifest"]
    assert places(made.run("go-manifest")) == [
        "m/go.mod: go.mod: cannot be read: it has no line `module <path>`"
    ]


# --- links ---


def test_a_module_is_linked_by_what_it_requires_and_by_what_it_replaces(checkout):
    text = (
        MODULE
        + "require example.org/a v1.0.0 // why\nrequire (\n\texample.org/b v0.0.0\n)\nreplace example.org/b => ../b\n"
    )
    links = checkout({"m/go.mod": text}).links("m/go.mod")

    assert links.name == "example.org/m"
    assert links.needs == {"example.org/a", "example.org/b"}
    assert links.folders == {"b"}


def test_a_member_of_the_workspace_that_is_imported_and_not_required_is_linked(checkout):
    files = {
        "go.work": "use (\n\t./m\n\t./b\n\t./c\n)\n",
        "m/go.mod": MODULE,
        "m/a.go": 'package m\n\nimport _ "example.org/b/sub"\n',
        "b/go.mod": "module example.org/b\n",
        "c/go.mod": "module example.org/c\n",
    }

    assert checkout(files).links("m/go.mod").folders == {"b"}


def test_directives_are_read_from_lines_and_blocks_without_comments():
    assert directives('use (\n  "./a b" // x\n)\n// y\ngo 1.22\n') == [("use", "./a b"), ("go", "1.22")]


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


# --- recorded output ---


def events(*each):
    return "\n".join(json.dumps(event) for event in each)


def out(text, test="TestA", package="example.org/m/sub", **more):
    return {"Action": "output", "Package": package, "Test": test, "Output": text, **more}


RUN = {"Action": "run", "Package": "example.org/m/sub", "Test": "TestA"}
FAIL = {"Action": "fail", "Package": "example.org/m/sub", "Test": "TestA", "Elapsed": 0.5}


def test_the_last_place_of_a_failing_test_counts_as_earlier_ones_are_logging(checkout):
    text = events(
        RUN, out("    a_test.go:6: a log\n"), out("    a_test.go:7: got 1,\n"), out("        want 2\n"), FAIL
    )

    outcome = result(checkout(FILES).checks["go-test"], text, code=1)

    assert places(outcome) == ["m/sub/a_test.go:7: TestA: got 1, want 2"]


def test_what_go_marks_as_an_error_counts_before_logging_after_it(checkout):
    text = events(
        RUN, out("    a_test.go:7: wrong\n", OutputType="error"), out("    a_test.go:9: cleaning up\n"), FAIL
    )

    assert places(result(checkout(FILES).checks["go-test"], text, code=1)) == [
        "m/sub/a_test.go:7: TestA: wrong"
    ]


def test_the_message_of_testifys_table_is_its_error(checkout):
    table = (
        "    a_test.go:12: \n",
        "        \tError Trace:\t/x/a_test.go:12\n",
        "        \tError:      \tNot equal: \n",
        "        \t            \texpected: 1\n",
        "        \tTest:       \tTestA\n",
    )

    outcome = result(checkout(FILES).checks["go-test"], events(RUN, *map(out, table), FAIL), code=1)

    assert places(outcome) == ["m/sub/a_test.go:12: TestA: Not equal: expected: 1"]


def test_go_test_that_runs_no_test_is_no_pass(checkout):
    outcome = result(checkout(FILES).checks["go-test"], events({"Action": "pass", "Package": "x"}))

    assert (outcome.outcome, outcome.reason) == (Outcome.FAILED, "exit code 0, but no test ran")


def test_a_listing_of_nothing_is_no_pass(checkout):
    outcome = result(checkout(FILES).checks["go-listing"], events({"Action": "skip", "Package": "x"}))

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == [
        "m/go.mod: listing: the test runner lists no test, although there are test files"
    ]


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (f"a.go:3:8: example.org/y@v1.0.0: {OFF}", "the Go module example.org/y@v1.0.0"),
        (f"go: downloading example.org/y v1.0.0\na.go:2:8: {OFF}", "the Go module example.org/y@v1.0.0"),
        ("go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)", "Go 1.99"),
        ('# runtime/cgo\ncgo: C compiler "gcc" not found: exec: "gcc": not found in $PATH', "the C compiler gcc"),
    ],
)  # fmt: skip
def test_what_go_does_not_find_on_this_machine_is_not_installed(checkout, said, missing):
    check = checkout(FILES).checks["go-vet"]

    outcome = result(check, "", said, 1)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, f"{missing} is not installed")
    assert check.how_to_install == "run `go mod download` in m"


def test_golangci_lints_issues_have_place_and_linter(checkout):
    check = checkout(FILES | {".golangci.yml": ""}, ("go", "gofmt", "golangci-lint")).checks["go-lint"]
    issue = {
        "FromLinter": "errcheck",
        "Text": "unchecked",
        "Pos": {"Filename": "a.go", "Line": 3, "Column": 9},
    }

    outcome = result(check, json.dumps({"Issues": [issue], "Report": {}}) + "\n1 issues:\n", code=1)

    assert places(outcome) == ["m/a.go:3:9: errcheck: unchecked"]


# --- the real Go ---


@needs_go
def test_unformatted_files_have_the_first_line_that_would_change(real):
    made = real(b="package m\n\nfunc Two() int {\n\treturn   2\n}\n")

    assert places(made.run("go-fmt")) == ["m/b.go:4: format: is not formatted as gofmt does it"]


@needs_go
def test_a_syntax_error_has_its_place_in_every_check(real):
    made = real(b="package m\n\nfunc Two() int {\n")

    assert places(made.run("go-fmt"))[0].startswith("m/b.go:3:18: expected '}'")
    assert places(made.run("go-vet"))[0].startswith("m/b.go:3:18: expected '}'")


@needs_go
def test_a_type_error_has_its_place(real):
    made = real(b='package m\n\nfunc Two() int { return "x" }\n')
    expected = 'm/b.go:3:25: cannot use "x" (untyped string constant) as int value in return statement'

    assert places(made.run("go-vet")) == [expected]
    assert places(made.run("go-build")) == [expected]


@needs_go
def test_what_vet_finds_has_its_place(real):
    made = real(b='package m\n\nimport "fmt"\n\nfunc Two() { fmt.Printf("%d", "x") }\n')

    assert places(made.run("go-vet"))[0].startswith("m/b.go:5:26: fmt.Printf format %d has arg")


TESTS = """package m

import "testing"

func TestAdd(t *testing.T) {
	t.Log("a log first")
	t.Run("one two", func(t *testing.T) {
		if Add(1, 2) != 4 {
			t.Errorf("got %d", Add(1, 2))
		}
	})
	t.Run("fine", func(t *testing.T) {})
}

func TestSkipped(t *testing.T) { t.Skip("docker not available") }

func TestSlow(t *testing.T) { t.Skip("slow") }

func TestPanics(t *testing.T) {
	var nothing *int
	_ = Deep(nothing)
}
"""


@needs_go
def test_each_test_has_a_stable_id_and_failing_ones_their_place(real):
    made = real(a_test=TESTS, deep="package m\n\nfunc Deep(p *int) int {\n\treturn *p\n}\n")

    outcome = made.run("go-test")

    assert places(outcome) == [
        "m/a_test.go:9: TestAdd/one_two: got 3",
        "m/deep.go:4: TestPanics: panic: runtime error: invalid memory address or nil pointer dereference",
        "m/a_test.go:15: environment-skip: example.org/m.TestSkipped was skipped because the environment lacks docker:"
        " docker not available",
    ]
    assert {test.id: test.outcome for test in outcome.tests} == {
        "example.org/m.TestAdd": ChildOutcome.FAILED,
        "example.org/m.TestAdd/one_two": ChildOutcome.FAILED,
        "example.org/m.TestAdd/fine": ChildOutcome.PASSED,
        "example.org/m.TestSkipped": ChildOutcome.SKIPPED,
        "example.org/m.TestSlow": ChildOutcome.SKIPPED,
        "example.org/m.TestPanics": ChildOutcome.FAILED,
    }


@needs_go
def test_a_test_that_ends_its_program_is_named(real):
    made = real(
        b_test='package m\n\nimport (\n\t"os"\n\t"testing"\n)\n\nfunc TestQuits(t *testing.T) { os.Exit(3) }\n'
    )

    assert places(made.run("go-test")) == [
        "m/b_test.go:8: TestQuits: did not end: it was still running when its program ended or was ended"
    ]


@needs_go
def test_a_panic_outside_of_tests_is_named(real):
    made = real(b='package m\n\nfunc init() { panic("boom") }\n', b_test=PASSES)

    assert places(made.run("go-test")) == ["m/b.go:3: panic: boom"]


@needs_go
def test_a_listing_compiles_tests_and_runs_none(real):
    made = real(a_test=TESTS.replace("Deep", "Add"))

    assert places(made.run("go-listing"))[0].startswith("m/a_test.go:21:10: ")


@needs_go
def test_a_listing_passes_where_a_test_would_fail(real):
    made = real(b_test='package m\n\nimport "testing"\n\nfunc TestRed(t *testing.T) { t.Fatal("red") }\n')

    assert made.run("go-listing").outcome is Outcome.PASSED


@needs_go
def test_a_syntax_error_in_go_mod_has_its_place(tmp_path):
    made = Checkout(tmp_path, FILES | {"m/go.mod": "module m\nrequire (\n"}, None)

    assert places(made.run("go-vet"))[0].startswith("m/go.mod:3: syntax error")


@needs_go
def test_a_module_that_is_not_on_this_machine_is_not_installed(tmp_path):
    files = {
        "go.mod": MODULE + "require example.invalid/nothing v1.0.0\n",
        "go.sum": "example.invalid/nothing v1.0.0 h1:abc=\nexample.invalid/nothing v1.0.0/go.mod h1:abc=\n",
        "a.go": 'package m\n\nimport _ "example.invalid/nothing"\n',
        "a_test.go": PASSES,
    }
    made = Checkout(tmp_path, files, None)

    for name in ("go-vet", "go-build", "go-listing", "go-test"):
        outcome = made.run(name)
        assert (outcome.outcome, outcome.reason) == (
            Outcome.NOT_INSTALLED,
            "the Go module example.invalid/nothing@v1.0.0 is not installed",
        )


@needs_go
def test_an_import_that_go_mod_does_not_require_is_a_failure_of_the_module(tmp_path):
    made = Checkout(tmp_path, FILES | {"m/b.go": 'package m\n\nimport _ "example.invalid/x"\n'}, None)

    outcome = made.run("go-vet")

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome)[0].startswith("m/b.go:3:8: ")
