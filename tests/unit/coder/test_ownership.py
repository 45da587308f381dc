import re

from gatehouse.coder.ownership import ownership_parameters, workspace_name
from gatehouse.core.ledger import Entry

ENTRY = Entry(
    "workspace",
    "n",
    owner="ada@host name",
    run="20260101T000000Z-abc",
    created="2026-01-01T00:00:00+00:00",
    expires="2026",
)


def test_names_are_legal_in_coder_lead_back_to_the_run_and_differ():
    names = {workspace_name("smoke", "20260101T000000Z-ab12cd") for _ in range(50)}

    assert len(names) == 50
    for name in names:
        assert len(name) <= 32
        assert re.fullmatch(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*", name)
        assert "ab12cd" in name


def test_only_parameters_that_the_template_declares_are_sent():
    assert ownership_parameters(ENTRY, []) == {}
    assert set(ownership_parameters(ENTRY, ["gatehouse_run", "ref"])) == {"gatehouse_run"}


def test_label_values_are_made_legal_and_annotations_are_kept():
    values = ownership_parameters(ENTRY, ["gatehouse_owner", "gatehouse_created"])

    assert values == {"gatehouse_owner": "ada-host-name", "gatehouse_created": "2026-01-01T00:00:00+00:00"}
