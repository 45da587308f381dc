"""Faults in JavaScript and TypeScript: ESLint, Prettier, tsc; Node's runner, Vitest, Jest and Mocha."""

from __future__ import annotations

import json
from pathlib import Path

from installed import NODE_LIBRARIES, from_npm

from faults import ENVIRONMENT, Ecosystem, Fault, slow


def manifest(name: str, scripts: dict[str, str], *dependencies: str, **more: str) -> str:
    """A package.json."""
    wanted = {each: NODE_LIBRARIES.get(each, "1.0.0") for each in dependencies}
    return json.dumps(
        {"name": name, "version": "1.0.0", **more, "scripts": scripts, "devDependencies": wanted}, indent=2
    )


CART_JS = """export function total(items) {
  let sum = 0;
  for (const item of items) sum += item.price * item.count;
  return sum;
}

export function first(items) {
  return items[0].name;
}
"""

CART_JS_TEST = """import assert from "node:assert";
import { test } from "node:test";
import { first, total } from "../src/cart.js";

test("prices are added", () => {
  assert.strictEqual(total([{ price: 3, count: 2 }]), 6);
});

test("the first item is named", () => {
  assert.strictEqual(first([{ name: "apple" }]), "apple");
});
"""

ESLINT = """import js from "@eslint/js";

export default [
  js.configs.recommended,
  { rules: { eqeqeq: "error", "prefer-const": "error" } },
];
"""

CART_TS = """export interface Item {
  name: string;
  price: number;
  count: number;
}

export function total(items: Item[]): number {
  let sum = 0;
  for (const item of items) sum += item.price * item.count;
  return sum;
}

export function first(items: Item[]): string {
  return items[0]!.name;
}
"""

CART_TS_TEST = """import { describe, expect, it } from "vitest";
import { first, total } from "../src/cart";

describe("cart", () => {
  it("adds prices", () => {
    expect(total([{ name: "apple", price: 3, count: 2 }])).toBe(6);
  });

  it("names the first item", () => {
    expect(first([{ name: "apple", price: 3, count: 2 }])).toBe("apple");
  });
});
"""

TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "noEmit": True,
        "target": "es2022",
        "module": "esnext",
        "moduleResolution": "bundler",
        "skipLibCheck": True,
        "types": [],
    },
    "include": ["src", "tests"],
}

TAX = """function tax(price) {
  return Math.round(price * 0.2);
}

function rate(country) {
  return { de: { vat: 19 } }[country].vat;
}

module.exports = { tax, rate };
"""

TAX_JEST = """const { tax, rate } = require("../tax");

test("tax is rounded", () => {
  expect(tax(12)).toBe(2);
});

test("a country has a rate", () => {
  expect(rate("de")).toBe(19);
});
"""

TAX_MOCHA = """const assert = require("node:assert");
const { tax, rate } = require("../tax");

describe("tax", () => {
  it("is rounded", () => {
    assert.strictEqual(tax(12), 2);
  });

  it("has a rate in a country", () => {
    assert.strictEqual(rate("de"), 19);
  });
});
"""

TS_MANIFEST = manifest("typed", {"typecheck": "tsc --noEmit", "test": "vitest run"}, "typescript", "vitest")

FILES = {
    ".gitignore": "node_modules\n",
    "package.json": json.dumps(
        {"name": "shop", "private": True, "workspaces": ["plain", "typed", "taxes", "rates"]}
    ),
    "plain/package.json": manifest(
        "plain",
        {"lint": "eslint .", "format:check": "prettier --check src", "test": "node --test test/"},
        "eslint",
        "prettier",
        type="module",
    ),
    "plain/eslint.config.js": ESLINT,
    "plain/src/cart.js": CART_JS,
    "plain/test/cart.test.js": CART_JS_TEST,
    "typed/package.json": TS_MANIFEST,
    "typed/tsconfig.json": json.dumps(TSCONFIG, indent=2),
    "typed/src/cart.ts": CART_TS,
    "typed/tests/cart.test.ts": CART_TS_TEST,
    "taxes/package.json": manifest("taxes", {"test": "jest"}, "jest"),
    "taxes/tax.js": TAX,
    "taxes/__tests__/tax.test.js": TAX_JEST,
    "rates/package.json": manifest("rates", {"test": "mocha"}, "mocha"),
    "rates/tax.js": TAX,
    "rates/test/tax.test.js": TAX_MOCHA,
}

PLAIN, PLAIN_TEST = "plain/src/cart.js", "plain/test/cart.test.js"
TYPED, TYPED_TEST = "typed/src/cart.ts", "typed/tests/cart.test.ts"
TAXES, TAXES_TEST = "taxes/tax.js", "taxes/__tests__/tax.test.js"
RATES, RATES_TEST = "rates/tax.js", "rates/test/tax.test.js"

FAULTS = (
    Fault("syntax", PLAIN, "let sum = 0;", "let sum = ;", "lint compile"),
    Fault("syntax", PLAIN_TEST, "]), 6);\n});", "]), 6);\n};", "lint compile", at="};"),
    Fault("syntax", TYPED, "let sum = 0;", "let sum = ;", "compile"),
    Fault(
        "syntax", TAXES, "return Math.round(price * 0.2);", "return Math.round(price * 0.2;", "compile test"
    ),
    Fault(
        "syntax",
        RATES_TEST,
        "assert.strictEqual(tax(12), 2);",
        "assert.strictEqual(tax(12), 2;",
        "compile test",
    ),
    Fault("syntax", "taxes/package.json", '"name": "taxes",', '"name": "taxes"', "setup", at=None),
    Fault("type", TYPED, "let sum = 0;", 'let sum: number = "";', "compile"),
    Fault("type", TYPED, "items[0]!.name", "items[0]!.title", "compile"),
    Fault(
        "type",
        TYPED_TEST,
        'expect(first([{ name: "apple", price: 3, count: 2 }]))',
        'expect(first([{ name: "apple" }]))',
        "compile",
    ),
    Fault("type", TYPED_TEST, 'from "../src/cart"', 'from "../src/card"', "compile"),
    Fault("lint", PLAIN, "let sum = 0;", "let sum = 0;\n  const unused = 1;", "lint", at="unused"),
    Fault(
        "lint", PLAIN, "return items[0].name;", "return items[0] == null ? undefined : items[0].name;", "lint"
    ),
    Fault("lint", PLAIN, "return sum;", "return sum + offset;", "lint"),
    Fault("format", PLAIN, "let sum = 0;", "let sum=0", "format"),
    Fault(
        "unit",
        PLAIN,
        "item.price * item.count",
        "item.price + item.count",
        "test",
        path=PLAIN_TEST,
        at="assert.strictEqual(total",
    ),
    Fault(
        "unit",
        TYPED,
        "item.price * item.count",
        "item.price + item.count",
        "test",
        path=TYPED_TEST,
        at="expect(total",
    ),
    Fault("unit", TAXES, "price * 0.2", "price * 0.3", "test", path=TAXES_TEST, at="expect(tax(12))"),
    Fault(
        "unit", RATES, "price * 0.2", "price * 0.3", "test", path=RATES_TEST, at="assert.strictEqual(tax(12)"
    ),
    Fault("exception", PLAIN, "return items[0].name;", "return items[1].name;", "test"),
    Fault("exception", TYPED, "return items[0]!.name;", "return items[1]!.name;", "test"),
    Fault("exception", TAXES, "[country].vat", "[country + country].vat", "test", at="[country + country]"),
    Fault("exception", RATES, "[country].vat", "[country + country].vat", "test", at="[country + country]"),
    Fault(
        "exception",
        TAXES,
        "function tax(price)",
        'throw new Error("broken");\nfunction tax(price)',
        "compile test",
        at="throw new",
    ),
    Fault(
        "time-out",
        TAXES,
        "  return Math.round",
        "  while (price > 0);\n  return Math.round",
        "test",
        at=None,
        path="taxes/package.json",
        says="did not end",
        more=slow(),
    ),
    Fault(
        "time-out",
        PLAIN_TEST,
        'test("prices are added", () => {',
        'test("prices are added", async () => {\n  await new Promise((done) => setInterval(done, 2 ** 30));',
        "test",
        at=None,
        path="plain/package.json",
        says="did not end",
        more={**slow(), "plain/eslint.config.js": "export default [];\n"},
    ),
    Fault(
        "time-out",
        RATES_TEST,
        'it("is rounded", () => {',
        'it("is rounded", (done) => {',
        "test",
        at=None,
        says="imeout",
    ),
    Fault(
        "missing dependency",
        TAXES,
        "function tax(price)",
        'require("absent-library");\nfunction tax(price)',
        "compile test",
        at='require("absent',
    ),
    Fault(
        "missing dependency",
        "rates/package.json",
        "",
        manifest("rates", {"test": "mocha"}, "mocha", "absent-library"),
        "compile test",
        at=None,
        path="rates/package.json",
        says="absent-library",
        failure_class=ENVIRONMENT,
        more={RATES: f'require("absent-library");\n{TAX}'},
    ),
    Fault(
        "missing dependency",
        "typed/package.json",
        "",
        TS_MANIFEST.replace('"typescript"', '"absent-library": "1.0.0",\n    "typescript"'),
        "compile",
        at='from "absent-library"',
        path=TYPED,
        says="absent-library",
        failure_class=ENVIRONMENT,
        more={
            TYPED: f'import "absent-library/used";\nimport {{ used }} from "absent-library";\n{CART_TS}used();\n'
        },
    ),
)


def link(folder: Path) -> dict[str, str]:
    """Dependencies as if they were installed."""
    (folder / "node_modules").symlink_to(from_npm(NODE_LIBRARIES))
    return {}


ECOSYSTEM = Ecosystem("Node", FILES, FAULTS, link)
