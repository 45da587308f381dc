"""Go modules, with programs that are empty files or with the Go of this machine."""

import pytest

from tests.support.go_modules import ADD, MODULE
from tests.support.inner_checks import Checkout


@pytest.fixture
def checkout(tmp_path):
    return lambda files, tools=("go", "gofmt"): Checkout(tmp_path, files, tools)


@pytest.fixture
def real(tmp_path):
    """A module `m` of these files with this machine's Go."""
    return lambda **files: Checkout(
        tmp_path,
        {"m/go.mod": MODULE, "m/a.go": ADD} | {f"m/{name}.go": text for name, text in files.items()},
        None,
    )
