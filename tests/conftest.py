"""Tests of the harness itself: unit (no network), plugin (pytest run inside pytest), platform (real sockets)."""

import pytest

pytest_plugins = ["pytester"]


def pytest_collection_modifyitems(items):
    for item in items:
        parts = item.path.parts
        if "plugin" in parts or "platform" in parts:
            item.add_marker(pytest.mark.integration)
