"""Fixtures of this repository's own suites. The harness itself is loaded by its entry point."""

pytest_plugins = [
    "fixtures.accessibility",
    "fixtures.carts",
    "fixtures.load_time",
    "fixtures.orders",
    "fixtures.pages",
]
