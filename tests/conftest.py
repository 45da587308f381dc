"""Tests of the harness itself: unit (no network), plugin (pytest run inside pytest), platform (real sockets)."""

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("tests", deadline=None)  # no test needs luck with time
hypothesis.settings.load_profile("tests")

pytest_plugins = ["pytester"]

# What the CI system that runs these tests says about its own change is not about the checkouts they make, and that
# they may run in a pod is not about the runs that they start.
for _name in [
    each
    for each in os.environ
    if each == "CI" or each.startswith(("CI_", "GITHUB_")) or each == "KUBERNETES_SERVICE_HOST"
]:
    del os.environ[_name]


def pytest_collection_modifyitems(items):
    for item in items:
        parts = item.path.parts
        if "plugin" in parts or "platform" in parts:
            item.add_marker(pytest.mark.integration)
