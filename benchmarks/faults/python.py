"""Faults in Python."""

from __future__ import annotations

from faults import ENVIRONMENT, Ecosystem, Fault, slow

CART = '''"""A cart."""

from dataclasses import dataclass


@dataclass
class Item:
    """A line of a cart."""

    name: str
    price: int
    count: int


def total(items: list[Item]) -> int:
    """The price of all items."""
    return sum(item.price * item.count for item in items)


def first(items: list[Item]) -> Item:
    """The first item."""
    if not items:
        raise LookupError("the cart is empty")
    return items[0]


def describe(item: Item) -> str:
    """An item for people."""
    return f"{item.count} of {item.name}"
'''

TEST_CART = '''"""Tests of the cart."""

import pytest

from shop.cart import Item, describe, first, total


@pytest.fixture
def apples() -> Item:
    """Two apples."""
    return Item("apple", 3, 2)


def test_total(apples: Item) -> None:
    """All prices are added."""
    assert total([apples, Item("pear", 5, 1)]) == 11


def test_first() -> None:
    """An empty cart has no first item."""
    with pytest.raises(LookupError):
        first([])


@pytest.mark.parametrize("count", [1, 2])
def test_describe(count: int) -> None:
    """Items are described."""
    assert describe(Item("apple", 3, count)) == f"{count} of apple"
'''

PYPROJECT = """[project]
name = "shop"
version = "1.0.0"

[tool.ruff.format]

[tool.ruff.lint]
select = ["E", "F", "I"]

[tool.mypy]
strict = true

[tool.pytest.ini_options]
pythonpath = ["."]
"""

FILES = {
    "pyproject.toml": PYPROJECT,
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "tests/test_cart.py": TEST_CART,
}

SOURCE, TEST = "shop/cart.py", "tests/test_cart.py"

FAULTS = (
    Fault(
        "syntax",
        SOURCE,
        "def total(items: list[Item]) -> int:",
        "def total(items: list[Item]) -> int",
        "compile lint",
    ),
    Fault(
        "syntax",
        SOURCE,
        "    if not items:\n",
        "    if not items:\n    pass\n",
        "compile lint",
        at="    pass",
    ),
    Fault("syntax", TEST, "== 11\n", "== 11)\n", "compile lint", at="== 11)"),
    Fault("type", SOURCE, "return items[0]", "return items[0].price", "compile"),
    Fault("type", SOURCE, "return items[0]", "return items[0].article()", "compile"),
    Fault("type", TEST, "total([apples,", 'total(["apples",', "compile"),
    Fault(
        "lint",
        SOURCE,
        "from dataclasses import dataclass\n",
        "import os\nfrom dataclasses import dataclass\n",
        "lint",
        at="import os",
    ),
    Fault(
        "lint",
        TEST,
        "import pytest\n\nfrom shop.cart import Item, describe, first, total\n",
        "from shop.cart import Item, describe, first, total\nimport pytest\n",
        "lint format",
    ),
    Fault(
        "lint",
        SOURCE,
        '    return f"{item.count}',
        '    unused = item\n    return f"{item.count}',
        "lint",
        at="unused = item",
    ),
    Fault(
        "format",
        SOURCE,
        'return f"{item.count} of {item.name}"',
        "return f'{item.count} of {item.name}'",
        "format",
    ),
    Fault("format", TEST, 'Item("apple", 3, 2)', 'Item("apple",3,2)', "format"),
    Fault(
        "unit", SOURCE, "item.price * item.count", "item.price - item.count", "test", path=TEST, at="== 11"
    ),
    Fault(
        "unit",
        SOURCE,
        '{item.count} of {item.name}"',
        '{item.name} of {item.count}"',
        "test",
        path=TEST,
        at="assert describe",
    ),
    Fault(
        "unit",
        SOURCE,
        '        raise LookupError("the cart is empty")',
        '        return Item("", 0, 0)',
        "test",
        path=TEST,
        at="with pytest.raises",
    ),
    Fault(
        "exception",
        SOURCE,
        "    return sum(item",
        '    raise ValueError("broken")\n    return sum(item',
        "test",
        at="raise ValueError",
    ),
    Fault(
        "exception",
        TEST,
        '    return Item("apple", 3, 2)',
        '    return Item(**{"name": "apple"})  # type: ignore',
        "test",
        at="return Item(**",
    ),
    Fault(
        "exception",
        SOURCE,
        '"""A cart."""\n',
        '"""A cart."""\n\nLIMIT = int("many")\n',
        "test",
        at="LIMIT",
        more={"pyproject.toml": PYPROJECT.replace('"E", "F", "I"', '"F"')},
    ),
    Fault(
        "time-out",
        TEST,
        "    assert total([",
        "    while True:\n        pass\n    assert total([",
        "test",
        at=None,
        path="pyproject.toml",
        says="did not end",
        more={
            **slow(),
            "pyproject.toml": PYPROJECT.replace("strict = true", "strict = true\nwarn_unreachable = false"),
        },
    ),
    Fault(
        "missing dependency",
        SOURCE,
        "from dataclasses import dataclass\n",
        "from dataclasses import dataclass\n\nimport absent_library\n",
        "compile",
        at="import absent_library",
        more={
            SOURCE: CART.replace(
                "from dataclasses import dataclass\n",
                "from dataclasses import dataclass\n\nimport absent_library\n",
            ).replace("    return sum(item", "    absent_library.call()\n    return sum(item")
        },
    ),
    Fault(
        "missing dependency",
        SOURCE,
        "from dataclasses import dataclass\n",
        "from dataclasses import dataclass\n\nimport absent_library  # type: ignore\n",
        "test",
        at="import absent_library",
        says="absent_library",
        failure_class=ENVIRONMENT,
        more={
            "pyproject.toml": PYPROJECT.replace(
                'version = "1.0.0"', 'version = "1.0.0"\ndependencies = ["absent-library"]'
            ),
            SOURCE: CART.replace(
                "from dataclasses import dataclass\n",
                "from dataclasses import dataclass\n\nimport absent_library  # type: ignore\n",
            ).replace("    return sum(item", "    absent_library.call()\n    return sum(item"),
        },
    ),
)

ECOSYSTEM = Ecosystem("Python", FILES, FAULTS)
