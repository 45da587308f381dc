"""Node packages: which checks they have, and what is read out of recorded output and of the real Node."""

import json
import re
import shutil
from pathlib import Path

import pytest

from gatehouse.core.processes import Completed
from gatehouse.inner.checks.node.output import counted
from gatehouse.inner.model import ChildOutcome, Outcome, Phase
from tests.support.inner_checks import Checkout, places, result

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="these run the real Node, which CI has")


@pytest.fixture
def checkout(tmp_path):
    """A package `p` with these scripts, installed tools and other files; `more` are keys of its manifest."""

    def make(scripts=None, *, installed=(), files=None, tools=("node", "npm"), **more):
        manifest = {"name": "p", "scripts": scripts or {}, **more}
        made = Checkout(tmp_path, {"p/package.json": json.dumps(manifest), **(files or {})}, tools)
        for tool in installed:
            path = made.root / "p/node_modules/.bin" / tool
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o755)
        return made

    return make


TEST = {"p/test/a.test.js": ""}
SPLIT = {
    "p/__tests__/unit/a.test.ts": "",
    "p/__tests__/integration/b.test.ts": "",
    "p/__tests__/e2e/c.test.ts": "",
    "p/src/d.spec.ts": "",
}


def argv(check):
    """The arguments without those that name a report or a cache."""
    return [word for word in check.argv[1:] if "/cache/" not in word]


# --- which checks there are ---


def test_scripts_for_lint_types_and_tests_are_checks_and_building_is_none(checkout):
    scripts = {
        "lint": "./lint.sh && x",
        "typecheck": "./types.sh",
        "test": "./test.sh",
        "build": "vite build",
    }

    checks = checkout(scripts).checks

    assert list(checks) == ["node-lint", "node-types", "node-test"]
    assert checks["node-lint"].argv[1:] == ("run", "--silent", "lint")
    assert [check.phase for check in checks.values()] == [Phase.CONTRACT, Phase.CONTRACT, Phase.UNIT]


@pytest.mark.parametrize(
    "scripts",
    [
        {"test": 'echo "Error: no test specified" && exit 1'},
        {"lint": "./x --write ."},
        {"lint": "./x && eslint --fix ."},
        {"lint": "yarn run fix && ./x", "fix": "prettier --write src"},
        {"test": "./x && npm run browser", "browser": "playwright test"},
        {"test": "playwright test"},
        {"test": "turbo run test"},
        {"format": "./format.sh"},
        {"test": 3, "lint": ["eslint"]},
        {},
    ],
)
def test_placeholders_and_scripts_that_change_files_or_are_no_texts_are_no_checks(checkout, scripts):
    assert checkout(scripts).checks == {}


def test_scripts_that_are_no_object_are_no_scripts(checkout):
    assert checkout(None, files={"q/package.json": '{"scripts": ["test"]}'}).checks == {}


def test_a_linter_that_would_fix_is_told_to_look_only(checkout):
    checks = checkout(
        {"lint": "eslint --fix --cache .", "format": "prettier --write src"}, installed=("eslint", "prettier")
    ).checks

    assert argv(checks["node-lint"]) == [".", "--format=json"]
    assert argv(checks["node-format"]) == ["--check", "src"]


def test_a_folder_that_is_called_like_a_script_is_no_call_of_it(checkout):
    scripts = {"lint": "eslint src test", "test": "playwright test"}

    assert list(checkout(scripts, installed=("eslint",)).checks) == ["node-lint"]


def test_a_compiler_writes_nothing(checkout):
    check = checkout({"typecheck": "tsc -p tsconfig.build.json"}, installed=("tsc",)).checks["node-types"]

    assert argv(check)[:3] == ["-p", "tsconfig.build.json", "--noEmit"]
    assert check.argv[0].endswith("/p/node_modules/.bin/tsc")


def test_configured_tools_are_checks_where_there_is_no_script_and_the_package_asks_for_them(checkout):
    files = {"p/eslint.config.mjs": "", "p/tsconfig.json": "{}", "p/src/a.ts": ""}
    dependencies = {"eslint": "9", "typescript": "5"}

    assert list(checkout(files=files, devDependencies=dependencies).checks) == ["node-lint", "node-types"]


def test_a_configuration_whose_tool_nobody_asks_for_is_no_check(checkout):
    assert checkout(files={"p/tsconfig.json": "{}", "p/src/a.ts": "", "p/biome.json": "{}"}).checks == {}


def test_the_configuration_of_a_workspace_root_is_for_its_members(checkout):
    files = {"p/tsconfig.json": "{}", "p/vitest.config.ts": "", "p/eslint.config.js": ""}

    assert (
        checkout(files=files, workspaces=["x"], devDependencies={"eslint": "9", "typescript": "5"}).checks
        == {}
    )


def test_projects_that_a_configuration_only_refers_to_are_each_compiled(checkout):
    files = {
        "p/tsconfig.json": '{ // none\n"files": [], "references": [{"path": "./tsconfig.app.json"}, {"path": "../q"}]}',
        "p/tsconfig.app.json": "{}",
        "q/tsconfig.json": "{}",
        "q/package.json": "{}",
        "p/a.ts": "",
    }

    checks = checkout(files=files, devDependencies={"typescript": "5"}).checks

    assert list(checks) == ["node-types-tsconfig.app"]


@pytest.mark.parametrize(
    ("lockfile", "manager", "install"),
    [
        ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
        ("bun.lock", "bun", "bun install --frozen-lockfile"),
        ("package-lock.json", "npm", "npm ci"),
    ],
)
def test_the_package_manager_comes_from_the_lockfile_and_dependencies_must_be_there(
    checkout, lockfile, manager, install
):
    made = checkout(
        {"test": "./x"}, files={lockfile: ""}, tools=("node", manager), devDependencies={"jest": "1"}
    )

    check = made.checks["node-test"]

    assert check.argv[0].endswith(f"/{manager}")
    assert check.missing == "what package.json asks for"
    assert check.how_to_install == f"run `{install}` in p"


def test_absent_node_is_not_installed(checkout):
    assert checkout({"test": "./x"}, tools=()).checks["node-test"].missing == "node"


def test_a_tool_that_is_asked_for_and_not_there_is_not_taken_from_the_path(checkout):
    made = checkout({"lint": "eslint ."}, tools=("node", "npm", "eslint"), devDependencies={"eslint": "9"})
    (made.root / "p/node_modules").mkdir()
    (made.root / "p/node_modules/.package-lock.json").touch()

    check = made.checks["node-lint"]

    assert (check.missing, check.how_to_install) == ("eslint", "run `npm install` in p")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("{\n 1", "line 2 column 2"), ("[]", "expected an object, seen list"), ("\ufeff{", "line 1 column 2")],
)
def test_a_broken_manifest_is_the_only_check_and_says_where(checkout, text, problem):
    made = checkout(files={"q/package.json": text})

    outcome = made.run("node-manifest")

    assert outcome.outcome is Outcome.FAILED
    assert problem in places(outcome)[0]


def test_a_broken_manifest_has_the_parsers_place(checkout):
    assert places(checkout(files={"q/package.json": '{\n  "a" 1}'}).run("node-manifest"))[0].startswith(
        "q/package.json:2:7: "
    )


# --- classes of tests ---


@pytest.mark.parametrize("runner", ["jest", "vitest"])
def test_unit_and_integration_tests_are_told_apart_by_their_folders_and_end_to_end_never_runs(
    checkout, runner
):
    checks = checkout({"test": runner}, installed=(runner,), files=SPLIT).checks

    assert checks["node-test"].phase is Phase.UNIT
    assert checks["node-integration"].phase is Phase.INTEGRATION
    assert "__tests__/integration/" in checks["node-integration"].argv
    for name in ("integration", "e2e"):
        assert any(name in word for word in argv(checks["node-test"]))


def test_jests_pattern_for_unit_tests_matches_all_others(checkout):
    check = checkout({"test": "jest"}, installed=("jest",), files=SPLIT).checks["node-test"]
    pattern = next(word for word in check.argv if word.startswith("^"))

    chosen = [path.removeprefix("p/") for path in SPLIT if re.search(pattern, path)]

    assert chosen == ["__tests__/unit/a.test.ts", "src/d.spec.ts"]


def test_mocha_runs_integration_tests_among_the_others_and_never_end_to_end_tests(checkout):
    checks = checkout({"test": "mocha"}, installed=("mocha",), files=SPLIT).checks

    assert list(checks) == ["node-listing", "node-test"]
    assert "**/__tests__/e2e/**" in checks["node-test"].argv
    assert "**/__tests__/integration/**" not in checks["node-test"].argv


@pytest.mark.parametrize("runner", ["jest __tests__", "vitest run __tests__"])
def test_what_a_script_chooses_brings_no_end_to_end_tests_into_the_integration_phase(checkout, runner):
    check = checkout({"test": runner}, installed=(runner.split()[0],), files=SPLIT).checks["node-integration"]

    assert "__tests__" not in check.argv or "--exclude=**/__tests__/e2e/**" in check.argv


@pytest.mark.parametrize(
    ("script", "chooses"),
    [
        ("jest --config x.js -w 4", "^(?!.*__tests__/(integration|e2e)/)"),
        ("jest --runInBand --selectProjects a b", "--testPathIgnorePatterns=__tests__/e2e/"),
        ("jest --verbose src", "--testPathIgnorePatterns=__tests__/e2e/"),
    ],
)
def test_end_to_end_tests_are_left_out_whatever_else_jests_script_chooses(checkout, script, chooses):
    words = argv(checkout({"test": script}, installed=("jest",), files=SPLIT).checks["node-test"])

    assert chooses in words
    assert "4" not in words


def test_a_package_with_integration_tests_alone_has_no_unit_check(checkout):
    checks = checkout(
        {"test": "jest"}, installed=("jest",), files={"p/__tests__/integration/a.test.js": ""}
    ).checks

    assert list(checks) == ["node-integration-listing", "node-integration"]


def test_scripts_of_their_own_for_unit_and_integration_tests_are_preferred(checkout):
    scripts = {
        "test": "jest",
        "test:unit": "jest --selectProjects unit",
        "test:integration": "jest -c integration.js",
    }

    checks = checkout(scripts, installed=("jest",), files=SPLIT).checks

    assert argv(checks["node-integration"])[-2:] == ["-c", "integration.js"]


def test_a_runner_is_found_by_its_configuration_where_there_is_no_script(checkout):
    checks = checkout(files={"p/vitest.config.ts": "", **TEST}, installed=("vitest",)).checks

    assert checks["node-test"].argv[1] == "run"


def test_nodes_own_runner_is_found_by_the_tests_that_use_it(checkout):
    checks = checkout(files={"p/test/a.test.js": 'import test from "node:test"'}).checks

    assert argv(checks["node-test"]) == ["--test", "--test-reporter=tap"]
    assert checks["node-listing"].look().listed == 1


def test_options_that_would_hide_an_empty_run_or_change_snapshots_are_left_out(checkout):
    script = "vitest --passWithNoTests -u --coverage --reporter verbose"

    check = checkout({"test": script}, installed=("vitest",), files=TEST).checks["node-test"]

    assert argv(check) == ["run", "--coverage.enabled=false", "--passWithNoTests=false", "--reporter=json"]


def test_reports_are_written_outside_of_the_checkout_and_never_to_the_same_file_twice(checkout):
    made = checkout({"test": "jest"}, installed=("jest",), files=SPLIT)
    reports = [
        word.split("=", 1)[1]
        for check in made.checks.values()
        for word in check.argv
        if word.startswith("--outputFile=")
    ]

    assert len(set(reports)) == 2
    assert all(path.startswith(made.tools.reports) for path in reports)
    assert not any(Path(path).is_relative_to(made.root) for path in reports)


def test_installed_tools_and_dependencies_decide_about_the_result(checkout):
    made = checkout({"lint": "eslint ."}, installed=("eslint",))
    (made.root / "p/node_modules/.package-lock.json").touch()

    names = [Path(path).name for path in made.checks["node-lint"].inputs]

    assert names == ["node", "eslint", ".package-lock.json"]


# --- links ---


def test_packages_are_linked_by_name_over_all_kinds_of_dependencies(checkout):
    more = {
        "dependencies": {"a": "1"},
        "devDependencies": {"@x/b": "*"},
        "peerDependencies": {"c": "file:../c"},
        "optionalDependencies": {"d": "1"},
    }

    links = checkout(**more).links("p/package.json")

    assert (links.name, links.needs) == ("p", {"a", "@x/b", "c", "d"})


# --- recorded output ---


def report_of(check, option="--outputFile="):
    return Path(next(word for word in check.argv if option in word).split("=", 1)[1])


def with_report(made, name, text, option="--outputFile=", **how):
    check = made.checks[name]
    report_of(check, option).write_text(text.replace("{root}", str(made.root)))
    return result(check, **how)


@pytest.fixture
def jest(checkout):
    return checkout(
        {"test": "jest"}, installed=("jest",), files={"p/a.test.js": "\n" * 20, "p/src/add.js": "\n" * 9}
    )


def jest_report(*tests, message="", status="failed"):
    return json.dumps(
        {
            "testResults": [
                {
                    "name": "{root}/p/a.test.js",
                    "status": status,
                    "message": message,
                    "assertionResults": tests,
                }
            ]
        }
    )


def jest_test(title, status="passed", failure=""):
    return {
        "ancestorTitles": ["add"],
        "title": title,
        "status": status,
        "duration": 5,
        "location": {"line": 4, "column": 3},
        "failureMessages": [failure] if failure else [],
    }


def test_a_failing_test_of_jest_is_placed_at_the_first_frame_inside_the_package(jest):
    failure = (
        "Error: expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3\n"
        "    at Object.toBe ({root}/p/node_modules/expect/index.js:1:2)\n    at Object.x ({root}/p/src/add.js:5:23)"
    )

    outcome = with_report(
        jest, "node-test", jest_report(jest_test("is wrong", "failed", failure), jest_test("works")), code=1
    )

    assert places(outcome) == [
        "p/src/add.js:5:23: is wrong: expect(received).toBe(expected) Expected: 4 Received: 3"
    ]


def test_every_test_of_jest_has_an_id_with_its_file_and_groups(jest):
    check = jest.checks["node-test"]
    tests = [jest_test("works"), jest_test("later", "pending"), jest_test("works")]
    report_of(check).write_text(jest_report(*tests, status="passed").replace("{root}", str(jest.root)))

    parsed = check.parse(check, Completed(check.argv, 0, "", "", 0.1))

    assert parsed.executed == 2
    assert [(test.id, test.outcome, test.seconds, test.line) for test in parsed.tests] == [
        ("p/a.test.js > add > works", ChildOutcome.PASSED, 0.005, 4),
        ("p/a.test.js > add > later", ChildOutcome.SKIPPED, 0.005, 4),
        ("p/a.test.js > add > works (2)", ChildOutcome.PASSED, 0.005, 4),
    ]


BABEL = "  \u25cf Test suite failed to run\n\n    SyntaxError: {root}/p/a.test.js: Unexpected token (3:0)\n\n"
ESBUILD = "Transform failed with 1 error:\n{root}/p/a.test.js:4:0: ERROR: Unexpected end of file"
ABSENT = "  \u25cf Test suite failed to run\n\n    Cannot find module 'x'\n\n      at Object.require (a.test.js:1:11)"


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (BABEL, "p/a.test.js:3:1: syntax: Unexpected token"),
        (ESBUILD, "p/a.test.js:4:1: Unexpected end of file"),
        (ABSENT, "p/a.test.js:1:11: Cannot find module 'x'"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_placed(jest, message, place):
    assert places(with_report(jest, "node-test", jest_report(message=message), code=1)) == [place]


def test_a_run_without_tests_is_no_pass_whatever_the_runner_says(jest):
    outcome = with_report(jest, "node-test", '{"testResults": []}')

    assert outcome.outcome is Outcome.FAILED
    assert places(outcome) == ["p/package.json: listing: the test runner found no test"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"testResults": 1}'])
def test_a_report_that_is_empty_cut_short_or_of_another_kind_is_no_pass(jest, text):
    assert with_report(jest, "node-test", text).outcome is Outcome.FAILED


def test_an_absent_dependency_is_not_installed_and_an_unknown_name_is_a_failure(checkout):
    made = checkout({"test": "./x"}, files={"p/a.js": "\n"}, dependencies={"left": "1"})
    (made.root / "p/node_modules").mkdir()
    (made.root / "p/node_modules/.package-lock.json").touch()
    check = made.checks["node-test"]

    absent = result(check, "", "Error: Cannot find module 'left/sub'\n", 1)
    unknown = result(check, "", f"Error: Cannot find module 'lefty'\n    at x ({made.root}/p/a.js:1:2)\n", 1)

    assert (absent.outcome, absent.reason) == (Outcome.NOT_INSTALLED, "the dependency left is not installed")
    assert places(unknown) == ["p/a.js:1:2: Error: Cannot find module 'lefty'"]


def test_a_listing_is_asked_for_only_where_some_file_looks_like_a_test(checkout):
    assert list(checkout({"test": "jest"}, installed=("jest",)).checks) == ["node-test"]


def test_a_test_over_its_time_limit_says_so(jest):
    stack = "Error: STACK_TRACE_ERROR\n    at {root}/p/a.test.js:2:1"

    outcome = with_report(jest, "node-test", jest_report(jest_test("slow", "failed", stack)), code=1)

    assert places(outcome) == ["p/a.test.js:2:1: slow: did not end within its time limit"]


def test_an_import_that_cannot_be_found_has_the_line_that_imports_it(checkout):
    made = checkout(
        {"test": "vitest"}, installed=("vitest",), files={"p/a.test.js": "\nimport x from 'lefty';\n"}
    )
    message = "Cannot find package 'lefty' imported from '{root}/p/a.test.js'"

    outcome = with_report(made, "node-test", jest_report(message=message), code=1)

    assert places(outcome)[0].startswith("p/a.test.js:2: Cannot find package 'lefty'")


def test_jests_text_is_read_from_a_script(checkout):
    made = checkout({"test": "./x && jest"}, files={"p/a.test.js": "\n"})
    text = (
        "FAIL ./a.test.js\n  \u25cf adds up\n\n    expect(received).toBe(expected)\n\n    Expected: 2\n"
        "      at Object.toBe (a.test.js:1:29)\n\nTests:       1 failed, 1 total\n"
    )

    outcome = result(made.checks["node-test"], "", text, 1)

    assert places(outcome) == ["p/a.test.js:1:29: adds up: expect(received).toBe(expected)"]


def test_a_broken_configuration_of_eslint_is_named(checkout):
    made = checkout(
        {"lint": "eslint ."}, installed=("eslint",), files={"p/eslint.config.mjs": "export default ["}
    )

    outcome = result(
        made.checks["node-lint"], "", "Oops!\n\nSyntaxError: Unexpected end of input\n    at x (node:y:1)", 2
    )

    assert places(outcome) == ["p/eslint.config.mjs: configuration: SyntaxError: Unexpected end of input"]


def test_a_project_that_builds_upon_others_is_not_compiled_alone(checkout):
    files = {"p/tsconfig.json": '{"references": [{"path": "../q"}]}', "p/a.ts": ""}

    assert checkout(files=files, devDependencies={"typescript": "5"}).checks == {}


MOCHA = {
    "stats": {"tests": 3},
    "tests": [
        {"fullTitle": "g works", "title": "works", "file": "{root}/p/test/a.js", "duration": 3, "err": {}},
        {
            "fullTitle": "g is wrong",
            "title": "is wrong",
            "file": "{root}/p/test/a.js",
            "err": {"message": "1 !== 2"},
        },
        {"fullTitle": "g later", "title": "later", "file": "{root}/p/test/a.js", "err": {}},
    ],
    "pending": [{"fullTitle": "g later", "title": "later", "file": "{root}/p/test/a.js"}],
    "failures": [
        {
            "fullTitle": "g is wrong",
            "title": "is wrong",
            "file": "{root}/p/test/a.js",
            "err": {
                "message": "1 !== 2",
                "stack": "Error: 1 !== 2\n    at Context.<anonymous> (test/a.js:5:12)",
            },
        }
    ],
}


def test_mochas_report_has_tests_and_places(checkout):
    made = checkout({"test": "mocha"}, installed=("mocha",), files={"p/test/a.js": "\n" * 9})

    outcome = with_report(made, "node-test", json.dumps(MOCHA), option="output=", code=1)

    assert places(outcome) == ["p/test/a.js:5:12: is wrong: 1 !== 2"]


def test_mochas_dry_run_lists_tests(checkout):
    made = checkout({"test": "mocha"}, installed=("mocha",), files={"p/test/a.js": "\n" * 9})
    empty = {"stats": {"tests": 0}, "tests": [], "pending": [], "failures": []}

    assert "--dry-run" in made.checks["node-listing"].argv
    assert with_report(made, "node-listing", json.dumps(empty), option="output=").outcome is Outcome.FAILED


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


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Tests:       1 failed, 1 skipped, 2 passed, 4 total", 3),
        (" Test Files  1 passed (1)\n      Tests  2 failed | 3 passed | 1 skipped (6)", 5),
        ("# tests 3\n# suites 0\n# pass 2\n# fail 1", 3),
        ("\u2139 tests 2\n\u2139 pass 2\n\u2139 fail 0", 2),
        ("  2 passing (5ms)\n  1 pending\n  1 failing\n", 3),
        ("  0 passing (1ms)", 0),
        ("  4 tests passed", 4),
        ("No tests found, exiting with code 0", 0),
        ("No test files found, exiting with code 0", 0),
        ("all good", None),
    ],
)
def test_tests_are_counted_by_the_summaries_of_well_known_runners(text, count):
    assert counted(text) == count


def test_a_script_whose_runner_says_that_no_test_ran_is_no_pass(checkout):
    check = checkout({"test": "./x && jest --passWithNoTests"}).checks["node-test"]

    assert result(check, "No tests found, exiting with code 0\n").outcome is Outcome.FAILED
    assert result(check, "a runner nobody knows\n").outcome is Outcome.PASSED


def test_eslints_text_is_read_from_a_script_with_terminal_colours(checkout):
    made = checkout({"lint": "./x && eslint ."}, files={"p/a.js": "x"})
    text = (
        f"\x1b[4m{made.root}/p/a.js\x1b[24m\n  1:7   \x1b[31merror\x1b[39m    'x' is unused  no-unused-vars\n"
    )

    assert places(result(made.checks["node-lint"], text, code=1)) == [
        "p/a.js:1:7: no-unused-vars: 'x' is unused"
    ]


# --- the real Node ---

REAL = """const { test, describe, it } = require("node:test");
const assert = require("node:assert");
describe("group", () => {
  it("works", () => {});
  it("is wrong", () => {
    assert.strictEqual(1, 2);
  });
  it("skips", { skip: "docker not available" }, () => {});
});
test("outer", async (t) => {
  await t.test("inner", () => { throw new TypeError("boom"); });
});
"""


@needs_node
def test_nodes_own_tests_are_each_told_with_the_place_of_those_that_fail(checkout):
    made = checkout(
        {"test": "node --test"}, files={"p/test/a.test.js": REAL, "p/test/b c.test.js": "x(\n"}, tools=None
    )

    outcome = made.run("node-test")

    assert places(outcome) == [
        "p/test/a.test.js:6:12: is wrong: Expected values to be strictly equal: 1 !== 2",
        "p/test/a.test.js:11:39: inner: boom",
        "p/test/b c.test.js:2: SyntaxError: Unexpected end of input",
        "p/package.json: environment-skip: group > skips was skipped because the environment lacks docker:"
        " docker not available",
    ]
    assert {test.id: test.outcome for test in outcome.tests} == {
        "group > works": ChildOutcome.PASSED,
        "group > is wrong": ChildOutcome.FAILED,
        "group > skips": ChildOutcome.SKIPPED,
        "outer > inner": ChildOutcome.FAILED,
    }


@needs_node
def test_passing_tests_of_node_pass(checkout):
    made = checkout(
        {"test": "node --test"},
        files={"p/a.test.js": 'require("node:test").test("x", () => {});\n'},
        tools=None,
    )

    assert made.run("node-test").outcome is Outcome.PASSED


@needs_node
def test_node_that_finds_no_test_is_no_pass(checkout):
    assert (
        checkout({"test": "node --test"}, files={"p/a.js": ""}, tools=None).run("node-test").outcome
        is Outcome.FAILED
    )
