"""Overrides of pytest-playwright's fixtures; registered after it, so these are used."""

from __future__ import annotations

from typing import Any

import pytest

from gatehouse.preview.browser import find_browser, resolver_arguments
from gatehouse.run import required_run


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], pytestconfig: pytest.Config
) -> dict[str, Any]:
    """Playwright's arguments, with the browser on the PATH and the target's addresses."""
    settings = required_run(pytestconfig).target.preview
    arguments = {**browser_type_launch_args}
    if browser := find_browser():
        arguments.setdefault("executable_path", browser)
    if settings and settings.addresses:
        arguments["args"] = [*arguments.get("args", []), *resolver_arguments(settings.addresses)]
    return arguments


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], pytestconfig: pytest.Config) -> dict[str, Any]:
    """Playwright's arguments; where certificates are of an authority of one's own, the browser takes them as they are.

    It cannot be given an authority. The proof has verified the certificates before, unless the settings forbid it.
    """
    settings = required_run(pytestconfig).target.preview
    own = settings is not None and (settings.tls.ca_file is not None or not settings.tls.verify)
    return {**browser_context_args, "ignore_https_errors": True} if own else browser_context_args
