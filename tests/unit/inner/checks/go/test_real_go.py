"""The real Go."""

from gatehouse.inner.model import ChildOutcome, Outcome
from tests.support.go_modules import FILES, MODULE, PASSES, needs_go
from tests.support.inner_checks import Checkout, places


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
