"""Which classes of tests the texts of Python tests speak of, by pytest's markers; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from gatehouse.inner.checks.python.project import Project

_ADDS = re.compile(r"add_marker\(\s*['\"]$")


def registered(project: Project) -> set[str]:
    """The markers that the configuration registers."""
    return {re.split(r"[:(]", line)[0].strip() for line in project.pytest.get("markers", "").splitlines()}


def used(project: Project, names: Iterable[str]) -> list[str]:
    """Those of `names` that a test or a conftest gives to tests."""
    texts = project.test_texts.values()
    return [name for name in names if any(_mentions(text, name) for text in texts)]


def has_unmarked(project: Project, names: Sequence[str]) -> bool:
    """Whether some test bears none of the markers `names`, as far as that can be read from the text."""
    return any(_has_unmarked(project.test_texts[file], names) for file in project.tests)


def _mentions(text: str, name: str) -> bool:
    """Whether a text gives tests the marker: `mark.<name>`, or its name in quotes to `add_marker`."""
    # Looking for the name first, and then at what is before it, is by far the fastest in thousands of files.
    for match in re.finditer(rf"{re.escape(name)}\b", text):
        before = text[max(0, match.start() - 30) : match.start()]
        if before.endswith("mark.") or _ADDS.search(before):
            return True
    return False


def _has_unmarked(text: str, names: Sequence[str]) -> bool:
    if not any(_mentions(text, name) for name in names):
        return True
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # the runner will say so
        return True
    if any(_is_pytestmark(node) and _mentions_any(node, names) for node in tree.body):
        return False
    return any(_is_unmarked(node, names) for node in tree.body)


def _is_unmarked(node: ast.stmt, names: Sequence[str]) -> bool:
    """Whether a statement of a module or class defines a test without any of the markers."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    if any(_mentions_any(each, names) for each in node.decorator_list):
        return False
    if isinstance(node, ast.ClassDef):
        marked = any(_is_pytestmark(each) and _mentions_any(each, names) for each in node.body)
        return not marked and any(_is_unmarked(each, names) for each in node.body)
    return node.name.startswith("test")


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _mentions_any(node: ast.AST, names: Sequence[str]) -> bool:
    return any(_mentions(ast.unparse(node), name) for name in names)
