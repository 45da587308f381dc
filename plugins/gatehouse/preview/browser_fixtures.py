"""An override of pytest-playwright's fixture; registered after it, so this one is used."""

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
