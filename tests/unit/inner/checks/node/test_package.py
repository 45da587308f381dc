"""Which checks a Node package has, by its scripts, configurations and lockfile."""

from pathlib import Path

import pytest

from gatehouse.inner.model import Outcome, Phase
from tests.support.inner_checks import places, result
from tests.support.node_packages import TEST, argv


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


def test_installed_tools_and_dependencies_decide_about_the_result(checkout):
    made = checkout({"lint": "eslint ."}, installed=("eslint",))
    (made.root / "p/node_modules/.package-lock.json").touch()

    names = [Path(path).name for path in made.checks["node-lint"].inputs]

    assert names == ["node", "eslint", ".package-lock.json"]


def test_packages_are_linked_by_name_over_all_kinds_of_dependencies(checkout):
    more = {
        "dependencies": {"a": "1"},
        "devDependencies": {"@x/b": "*"},
        "peerDependencies": {"c": "file:../c"},
        "optionalDependencies": {"d": "1"},
    }

    links = checkout(**more).links("p/package.json")

    assert (links.name, links.needs) == ("p", {"a", "@x/b", "c", "d"})


def test_a_project_that_builds_upon_others_is_not_compiled_alone(checkout):
    files = {"p/tsconfig.json": '{"references": [{"path": "../q"}]}', "p/a.ts": ""}

    assert checkout(files=files, devDependencies={"typescript": "5"}).checks == {}


# --- Yarn without a folder for dependencies ---

PNP = {".pnp.cjs": "", "yarn.lock": ""}


def test_without_a_folder_for_dependencies_yarn_runs_every_tool(checkout):
    scripts = {"lint": "eslint .", "test": "node --test"}
    made = checkout(scripts, files={**PNP, **TEST}, tools=("node", "yarn"), devDependencies={"eslint": "9"})

    lint, test = made.checks["node-lint"], made.checks["node-test"]

    assert lint.argv[0].endswith("/yarn")
    assert lint.argv[1:4] == ("run", "--binaries-only", "eslint")
    assert test.argv[1:3] == ("node", "--test")
    assert (lint.missing, test.missing) == ("", "")
    assert str(made.root / ".pnp.cjs") in lint.inputs


def test_the_yarn_that_the_checkout_brings_is_used(checkout):
    files = {**PNP, ".yarnrc.yml": "nodeLinker: pnp\nyarnPath: .yarn/releases/yarn-4.cjs\n"}
    made = checkout({"lint": "eslint ."}, files=files, devDependencies={"eslint": "9"})

    assert made.checks["node-lint"].argv[1:5] == (
        str(made.root / ".yarn/releases/yarn-4.cjs"),
        "run",
        "--binaries-only",
        "eslint",
    )


def test_an_absent_yarn_is_what_is_missing_where_it_keeps_the_dependencies(checkout):
    check = checkout({"lint": "eslint ."}, files=PNP, devDependencies={"eslint": "9"}).checks["node-lint"]

    assert (check.missing, check.how_to_install) == ("yarn", "install yarn")


def test_a_tool_that_yarn_does_not_know_is_not_installed(checkout):
    check = checkout({"lint": "eslint ."}, files=PNP, tools=("node", "yarn")).checks["node-lint"]

    outcome = result(check, 'Usage Error: Couldn\'t find a script named "eslint".\n', code=1)

    assert (outcome.outcome, outcome.reason) == (Outcome.NOT_INSTALLED, "eslint is not installed")


def test_a_newer_yarn_installs_in_words_of_its_own(checkout):
    files = {"yarn.lock": "", ".yarnrc.yml": "nodeLinker: node-modules\n"}
    check = checkout({"lint": "eslint ."}, files=files, devDependencies={"eslint": "9"}).checks["node-lint"]

    assert check.how_to_install == "run `yarn install --immutable` in p"


def test_the_version_that_a_manifest_asks_for_counts_where_none_is_installed(checkout):
    made = checkout(
        {"test": "tap"}, files={**PNP, **TEST}, tools=("node", "yarn"), devDependencies={"tap": "^21"}
    )

    assert "--disable-coverage" in made.checks["node-test"].argv
