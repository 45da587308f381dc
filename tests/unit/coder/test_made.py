from types import SimpleNamespace

import pytest

from gatehouse.coder.made import MadeWorkspaces
from gatehouse.core.errors import Conflict
from gatehouse.core.ledger import Ledger, outstanding
from gatehouse.core.settings import CoderSettings


class Coder:
    """A deployment in which every name is taken by somebody else."""

    url = "http://coder.example.com"

    def __init__(self):
        self.deleted = []

    def my_id(self):
        return "user-1"

    def template(self, _name):
        return SimpleNamespace(active_version_id="version-1")

    def parameters(self, _version_id):
        return []

    def create_workspace(self, name, **_what):
        raise Conflict(f"a workspace named {name} exists")

    def find_workspace(self, name):
        return SimpleNamespace(id=f"somebody's {name}")

    def workspace(self, workspace_id):
        self.deleted.append(workspace_id)
        raise AssertionError(f"{workspace_id} is being deleted")


def test_a_workspace_whose_creation_was_refused_is_somebody_elses_and_never_deleted(tmp_path):
    coder, ledger = Coder(), Ledger(tmp_path / "ledger.jsonl")
    made = MadeWorkspaces(coder, CoderSettings(url=coder.url), ledger, "20261122T050000Z-abcdef")

    with pytest.raises(Conflict):
        made.make("code")
    made.remove_all()

    assert coder.deleted == []
    assert outstanding(ledger.path) == []
