"""No limit for quick tests ends the wait for a workspace."""

from types import SimpleNamespace

import pytest

from gatehouse.core.settings import CoderSettings
from gatehouse.smoke import plugin

SLOW = CoderSettings(url="https://coder.example.com", workspace_timeout_seconds=1200)


class Item:
    """A test with markers."""

    def __init__(self, **marks):
        self.marks = marks

    def get_closest_marker(self, name):
        return self.marks.get(name)

    def add_marker(self, mark):
        self.marks[mark.name] = mark.args


def limits(monkeypatch, items, *, settings=SLOW, installed=True):
    monkeypatch.setattr(
        plugin, "current_run", lambda _config: SimpleNamespace(target=SimpleNamespace(coder=settings))
    )
    manager = SimpleNamespace(hasplugin=lambda _name: installed)
    plugin.pytest_collection_modifyitems(SimpleNamespace(pluginmanager=manager), items)
    return [item.marks.get("timeout") for item in items]


def test_a_test_of_the_smoke_suite_may_take_as_long_as_workspaces_may(monkeypatch):
    ((limit,),) = limits(monkeypatch, [Item(smoke=True)])

    assert limit > 2 * SLOW.workspace_timeout_seconds + 2 * SLOW.teardown_timeout_seconds


@pytest.mark.parametrize(
    ("marks", "expected"), [({}, None), ({"smoke": True, "timeout": (5,)}, (5,))], ids=["others", "its own"]
)
def test_other_tests_and_limits_of_a_tests_own_stay_as_they_are(monkeypatch, marks, expected):
    assert limits(monkeypatch, [Item(**marks)]) == [expected]


@pytest.mark.parametrize("options", [{"settings": None}, {"installed": False}])
def test_without_a_deployment_or_without_limits_nothing_is_set(monkeypatch, options):
    assert limits(monkeypatch, [Item(smoke=True)], **options) == [None]
