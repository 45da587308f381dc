"""What linters, formatters and compilers of Node print."""

import json

from tests.support.inner_checks import places, result
from tests.support.node_packages import with_report


def test_a_broken_configuration_of_eslint_is_named(checkout):
    made = checkout(
        {"lint": "eslint ."}, installed=("eslint",), files={"p/eslint.config.mjs": "export default ["}
    )

    outcome = result(
        made.checks["node-lint"], "", "Oops!\n\nSyntaxError: Unexpected end of input\n    at x (node:y:1)", 2
    )

    assert places(outcome) == ["p/eslint.config.mjs: configuration: SyntaxError: Unexpected end of input"]


def test_eslints_errors_are_findings_and_warnings_only_where_there_are_no_errors(checkout):
    made = checkout({"lint": "eslint ."}, installed=("eslint",), files={"p/a.js": ""})
    error = {"ruleId": "no-unused-vars", "severity": 2, "message": "unused", "line": 1, "column": 7}
    fatal = {"ruleId": None, "fatal": True, "severity": 2, "message": "Parsing error", "line": 2, "column": 1}
    warning = {"ruleId": "semi", "severity": 1, "message": "Missing semicolon.", "line": 3, "column": 1}

    def found(*messages):
        text = json.dumps([{"filePath": "{root}/p/a.js", "messages": messages}])
        return places(with_report(made, "node-lint", text, "--output-file=", code=1))

    assert found(error, fatal, warning) == [
        "p/a.js:1:7: no-unused-vars: unused",
        "p/a.js:2:1: syntax: Parsing error",
    ]
    assert found(warning) == ["p/a.js:3:1: semi: Missing semicolon."]


def test_the_compilers_errors_have_place_and_number(checkout):
    check = checkout({"types": "tsc"}, installed=("tsc",)).checks["node-types"]
    text = "src/a.ts(1,14): error TS2322: Type 'string' is wrong.\n  more\nerror TS18003: No inputs were found.\n"

    assert places(result(check, text, code=2)) == [
        "p/src/a.ts:1:14: TS2322: Type 'string' is wrong.",
        "p/package.json: TS18003: No inputs were found.",
    ]


def test_prettier_names_files_and_places_what_it_cannot_parse(checkout):
    check = checkout(
        {"format": "prettier -w ."}, installed=("prettier",), files={"p/b.js": "", "p/c.js": ""}
    ).checks["node-format"]
    text = "[warn] b.js\n[error] c.js: SyntaxError: Unexpected token (2:1)\n[error]   1 | x\n[warn] Run it.\n"

    assert places(result(check, "", text, 1)) == [
        "p/c.js:2:1: syntax: SyntaxError: Unexpected token",
        "p/b.js: format: is not formatted as prettier does it",
    ]


def test_biomes_diagnostics_are_findings(checkout):
    check = checkout({"lint": "biome ci"}, installed=("biome",), files={"p/b.js": "", "p/c.js": ""}).checks[
        "node-lint"
    ]

    def diagnostic(severity, message, category, path, line, column):
        location = {"path": path, "start": {"line": line, "column": column}}
        return {"severity": severity, "message": message, "category": category, "location": location}

    diagnostics = [
        diagnostic("warning", "unused", "lint/x", "b.js", 1, 7),
        diagnostic("error", "would print", "format", "b.js", 0, 0),
        diagnostic("error", "expected `)`", "parse", {"file": "c.js"}, 2, 1),
        diagnostic("error", "aborted", "format", "c.js", 0, 0),
    ]

    outcome = result(check, "\x1b[0m" + json.dumps({"diagnostics": diagnostics}), code=1)

    assert places(outcome) == [
        "p/b.js: format: is not formatted as biome does it",
        "p/c.js:2:1: parse: expected `)`",
    ]


def test_a_place_that_biome_1_gives_in_bytes_is_a_line_and_a_column(checkout):
    check = checkout({"lint": "biome check"}, installed=("biome",), files={"p/b.js": ""}).checks["node-lint"]
    source = '// \u00e9\nconst x = "\u00fc"; debugger;\n'
    location = {"path": {"file": "b.js"}, "span": [22, 31], "sourceCode": source}
    diagnostic = {"severity": "error", "message": "unexpected", "category": "lint/x", "location": location}

    outcome = result(check, json.dumps({"diagnostics": [diagnostic]}), code=1)

    assert places(outcome) == ["p/b.js:2:16: lint/x: unexpected"]
