"""What a script of package.json is understood to call."""

import pytest

from gatehouse.inner.checks.node.runners import unwrapped
from gatehouse.inner.checks.node.scripts import Command, expanded, is_usable, mutates, plain, without

SCRIPTS = {"test:unit": "jest --ci", "loop": "npm run loop", "shell": "a && b", "env": "A=1 vitest run"}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("jest", ("jest",)),
        ("node --test a.test.js 'b c.js'", ("node", "--test", "a.test.js", "b c.js")),
        ('eslint "src/**/*.ts"', ("eslint", "src/**/*.ts")),
        ("npx --no-install jest -i", ("jest", "-i")),
        ("pnpm exec vitest run", ("vitest", "run")),
        ("yarn jest", ("jest",)),
        ("npm run test:unit", ("jest", "--ci")),
        ("pnpm test:unit", ("jest", "--ci")),
        ("NODE_ENV=test jest", ("jest",)),
        ("cross-env NODE_ENV=test jest", ("jest",)),
    ],
)
def test_a_script_that_needs_no_shell_is_one_command(script, words):
    assert plain(script, SCRIPTS).words == words


@pytest.mark.parametrize(
    "script",
    [
        "jest && echo done",
        "jest | cat",
        "node --test tests/*.js",
        "echo it's fine",
        'echo "it is fine',
        'jest "$FILES"',
        "npm run loop",
        "npm run shell",
        "npm run absent",
        "",
    ],
)
def test_a_script_that_needs_a_shell_or_leads_nowhere_is_left_to_the_package_manager(script):
    assert plain(script, SCRIPTS) is None


def test_variables_that_a_script_sets_are_kept_along_the_way():
    assert plain("B=2 npm run env", SCRIPTS) == Command(("vitest", "run"), {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    "script",
    [
        'echo "Error: no test specified" && exit 1',
        "turbo run test",
        "nx run-many -t lint",
        "pnpm -r test",
        "npm test --workspaces",
        "playwright test",
        "vitest run && playwright test",
    ],
)
def test_placeholders_other_packages_and_browsers_are_no_checks_of_a_package(script):
    assert not is_usable(script)


@pytest.mark.parametrize(
    ("script", "changes"), [("eslint --fix .", True), ("prettier -w .", True), ("eslint .", False)]
)
def test_scripts_that_change_files_are_told_from_others(script, changes):
    assert mutates(script) is changes


def test_options_are_taken_out_in_both_spellings():
    words = ("--a", "1", "--b=2", "--c", "x")

    assert without(words, ("--c",), ("--a", "--b")) == ("x",)


def test_a_runner_that_node_is_told_to_load_is_that_runner():
    command = Command(("node", "--experimental-vm-modules", "node_modules/jest/bin/jest.js", "-i"), {})

    assert unwrapped(command) == Command(("jest", "-i"), {"NODE_OPTIONS": "--experimental-vm-modules"})


@pytest.mark.parametrize(
    "script", ["yarn run fix && yarn lint", "run-s fix lint", "npm-run-all f*", "npm run all"]
)
def test_a_script_is_known_by_all_that_it_calls(script):
    scripts = {"fix": "prettier --write .", "lint": "eslint .", "all": "npm run fix && true"}

    assert not mutates(script)
    assert mutates(expanded(script, scripts))


def test_scripts_that_call_each_other_come_to_an_end():
    scripts = {"a": "npm run b", "b": "npm run a"}

    assert expanded("npm run a", scripts).splitlines() == ["npm run a", "npm run b"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("c8 node --test", ("node", "--test")),
        ("nyc --reporter text mocha -r x", ("mocha", "-r", "x")),
        ("c8 -r lcov node node_modules/.bin/jest -i", ("jest", "-i")),
        ("c8 ./run.sh", ("c8", "./run.sh")),
    ],
)
def test_a_runner_is_seen_behind_what_measures_its_coverage(script, words):
    assert unwrapped(plain(script, {})).words == words
