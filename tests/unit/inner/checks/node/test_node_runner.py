"""The real Node, with its own test runner."""

from gatehouse.inner.model import ChildOutcome, Outcome
from tests.support.inner_checks import places
from tests.support.node_packages import needs_node

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
