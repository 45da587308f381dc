"""What go.mod and go.work say: names, needs, workspaces, vendored modules."""

from gatehouse.inner.checks.go.modules import directives
from tests.support.go_modules import FILES, MODULE
from tests.support.inner_checks import places


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
