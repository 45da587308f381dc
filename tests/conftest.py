"""Tests of the harness itself: unit (no network), plugin (pytest run inside pytest), platform (real sockets)."""

import hypothesis
import pytest

hypothesis.settings.register_profile("tests", deadline=None)  # no test needs luck with time
hypothesis.settings.load_profile("tests")

pytest_plugins = ["pytester"]


def pytest_collection_modifyitems(items):
    for item in items:
        parts = item.path.parts
        if "plugin" in parts or "platform" in parts:
            item.add_marker(pytest.mark.integration)
