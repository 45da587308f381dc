"""One workspace for all tests of how commands are run; each other test makes its own."""

import pytest


@pytest.fixture(scope="module")
def shared_launcher(make_launcher):
    """Starts tasks for a whole file of tests, and destroys them after it."""
    with make_launcher() as launcher:
        yield launcher


@pytest.fixture(scope="module")
def task(shared_launcher):
    """A task whose workspace is ready; its own command is not run."""
    return shared_launcher.start()
