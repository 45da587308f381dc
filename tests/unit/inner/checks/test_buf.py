"""buf. What is read was printed by buf 1.75."""

import json

import pytest

from gatehouse.inner.model import Outcome

FILES = {
    "p/buf.yaml": "version: v2\n",
    "p/x/a.proto": "",
    "p/x/b.proto": "",
    "Makefile": "all:\n\tbuf format -w\n",
}
ACTION = "steps:\n  - uses: bufbuild/buf-action@v1\n"


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def test_a_module_is_formatted_built_and_linted(bench):
    assert list(bench.checks(FILES, "buf")) == ["buf-format", "buf-build", "buf-lint"]


@pytest.mark.parametrize(
    ("file", "text", "formatted"),
    [
        ("Makefile", "lint:\n\tbuf lint\n", False),
        (".pre-commit-config.yaml", "repos: [{hooks: [{id: buf-format}]}]\n", True),
        (".github/workflows/buf.yaml", ACTION, True),
        (".github/workflows/buf.yaml", f"{ACTION}    with:\n      format: false\n", False),
        (".github/workflows/buf.yaml", f"{ACTION}    with: {{setup_only: true}}\n", False),
    ],
)
def test_a_module_is_formatted_only_where_something_formats_it(bench, file, text, formatted):
    files = {"buf.yaml": "version: v2\n", "a.proto": "", file: text}

    assert ("buf-format" in bench.checks(files, "buf", only="")) == formatted


def test_a_module_without_definitions_has_no_checks(bench):
    assert bench.checks({"buf.yaml": "version: v2\n"}, "buf") == {}


def test_a_module_needs_buf(bench):
    found = bench.checks(FILES).values()

    assert {check.missing for check in found} == {"buf"}
    assert {check.how_to_install for check in found} == {
        "install buf (https://buf.build/docs/cli/installation)"
    }


@pytest.mark.parametrize(("modules", "checked"), [(["a", "b"], False), (["a"], True)])
def test_a_workspace_is_checked_itself_only_if_a_directory_has_no_manifest(bench, modules, checked):
    files = {f"{module}/buf.yaml": "version: v1\n" for module in modules}
    files |= {"buf.work.yaml": "version: v1\ndirectories: [a, b]\n", "b/b.proto": "", "a/a.proto": ""}

    assert bool(bench.checks(files, "buf", only="")) == checked


def test_a_broken_manifest_fails_at_its_place(bench):
    check = bench.checks({"buf.yaml": "version: v2\n x: [\n", "a.proto": ""}, "buf")["buf-manifest"]

    assert str(check.look().findings[0]).startswith("buf.yaml:2:3: yaml: is no valid YAML")


def test_findings_have_a_place_and_a_rule(bench):
    check = bench.checks(FILES, "buf")["buf-lint"]
    found = {
        "path": "x/a.proto",
        "start_line": 4,
        "start_column": 8,
        "type": "FIELD_CASE",
        "message": "Bad name.",
    }

    expected = ["p/x/a.proto:4:8: FIELD_CASE: Bad name."]
    assert places(bench.judge(check, json.dumps(found), code=100)) == expected
    assert places(bench.judge(check, "", json.dumps(found), code=100)) == expected


def test_a_file_that_is_not_formatted_is_named_with_its_first_changed_line(bench):
    check = bench.checks(FILES, "buf")["buf-format"]
    diff = (
        "diff -u x/a.proto.orig x/a.proto\n--- x/a.proto.orig\t2026-11-21 20:16:24\n"
        "+++ x/a.proto\t2026-11-21 20:16:24\n@@ -1,5 +1,5 @@\n"
        " package x;\n message A {\n-string Foo = 1;\n+  string Foo = 1;\n"
        "diff -u x/b.proto.orig x/b.proto\n--- x/b.proto.orig\t2026\n+++ x/b.proto\t2026\n@@ -7 +7 @@\n-a\n+b\n"
    )

    assert places(bench.judge(check, diff, code=100)) == [
        "p/x/a.proto:3: format: is not formatted; run buf format --write",
        "p/x/b.proto:7: format: is not formatted; run buf format --write",
    ]


@pytest.mark.parametrize(
    "text", ["the server hosted at that remote is unavailable. Are you sure?", "dial tcp: no such host"]
)
def test_a_published_module_that_is_not_here_is_not_installed(bench, text):
    check = bench.checks(FILES, "buf")["buf-build"]

    assert bench.judge(check, "", f"Failure: {text}\n", code=1).outcome is Outcome.NOT_INSTALLED
    assert check.how_to_install.startswith("run `buf build` once")


def test_another_failure_of_buf_is_one_of_the_module(bench):
    check = bench.checks(FILES, "buf")["buf-build"]

    outcome = bench.judge(check, "", "Failure: decode buf.yaml: unknown field\n", code=1)

    assert places(outcome) == ["p/buf.yaml: buf: decode buf.yaml: unknown field"]
