"""Whose an object is; neighbours are never blamed, however alike their names."""

import pytest

from gatehouse.kube.attribution import Before, Belongs, Subject, attribute
from gatehouse.kube.client import CLAIMS, CLUSTER_ROLES, NAMESPACES, PODS, SECRETS, VOLUMES

ID = "8f273687-520e-41b9-bc24-139831ec7bb7"
OTHER = "00000000-520e-41b9-bc24-139831ec7bb7"
SUBJECT = Subject(ID, "gate-task-ab12-0c0ffe", user="gatehouse")
NOTHING = Before(frozenset(), frozenset({"secrets", "clusterroles", "namespaces", "pods"}))

ID_LABEL, NAME_LABEL, USER_LABEL = (
    "com.coder.workspace.id",
    "com.coder.workspace.name",
    "com.coder.user.username",
)


def item(name, *, namespace="shared", labels=None, annotations=None, uid="", spec=None, owners=()):
    metadata = {
        "name": name,
        "uid": uid or f"uid-{namespace}-{name}",
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [{"uid": owner} for owner in owners],
    }
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": metadata, **({"spec": spec} if spec else {})}


def whose(*objects, subject=SUBJECT, **more):
    return {each["metadata"]["name"]: by for _, each, by in attribute(objects, subject, **more).belonging}


def secret(name, **more):
    return SECRETS, item(name, **more)


@pytest.mark.parametrize(
    "labels",
    [
        {ID_LABEL: OTHER},
        {ID_LABEL: OTHER, NAME_LABEL: SUBJECT.name},
        {NAME_LABEL: SUBJECT.name, USER_LABEL: "ada"},
        {NAME_LABEL: f"{SUBJECT.name}-x"},
    ],
)
def test_what_says_that_it_is_anothers_is_never_ours_whatever_its_name(labels):
    neighbour = secret(f"coder-{SUBJECT.name}-x", labels=labels)

    assert whose(neighbour, before=NOTHING) == {}


def test_the_workspaces_name_as_a_label_is_enough_without_its_id():
    assert whose(secret("s", labels={NAME_LABEL: SUBJECT.name})) == {"s": Belongs.LABEL}


def test_a_namespace_that_is_ours_only_by_its_label_makes_ours_what_is_in_it():
    namespace = (NAMESPACES, item("ws-one", namespace="", labels={ID_LABEL: ID}))

    assert whose(namespace, secret("inside", namespace="ws-one"), secret("outside")) == {
        "ws-one": Belongs.LABEL,
        "inside": Belongs.NAMESPACE,
    }


def test_a_released_volume_is_ours_by_the_uid_of_a_claim_that_was_seen_before():
    volume = (VOLUMES, item("pv", namespace="", spec={"claimRef": {"uid": "c1", "name": "data"}}))

    assert whose(volume, seen={"c1"}) == {"pv": Belongs.CLAIM}
    assert whose(volume) == {}


def test_a_volume_is_ours_by_a_claim_that_is_ours_by_label():
    claim = (CLAIMS, item("data", labels={ID_LABEL: ID}, uid="c1"))
    volume = (VOLUMES, item("pv", namespace="", spec={"claimRef": {"uid": "c1"}}))

    assert whose(claim, volume)["pv"] is Belongs.CLAIM


@pytest.mark.parametrize(
    "named",
    [
        secret(f"token-{SUBJECT.name}"),
        secret("a", labels={"run-of": SUBJECT.name}),
        secret("a", annotations={"note": f"made for workspace {SUBJECT.name}."}),
        (CLUSTER_ROLES, item(f"ws-{SUBJECT.name}-reader", namespace="")),
    ],
)
def test_what_is_new_and_names_the_workspace_is_ours(named):
    assert list(whose(named, before=NOTHING).values()) == [Belongs.NEW]
    assert whose(named) == {}


def test_what_was_there_before_is_not_ours_though_it_names_the_workspace():
    old = secret(f"token-{SUBJECT.name}")
    before = Before(frozenset({old[1]["metadata"]["uid"]}), NOTHING.kinds)

    assert whose(old, before=before) == {}


def test_of_kinds_that_could_not_be_listed_before_nothing_is_new():
    assert whose((CLAIMS, item(f"data-{SUBJECT.name}")), before=NOTHING) == {}


def test_a_name_within_a_longer_word_is_another_name():
    assert whose(secret(f"x{SUBJECT.name}"), secret(f"{SUBJECT.name}9"), before=NOTHING) == {}


def test_the_run_counts_only_where_nothing_of_the_run_may_be_left():
    of_run = secret("s", labels={"gatehouse/run": "20260101-000000-abc"})
    whole_run = Subject(ID, run="20260101-000000-abc")

    assert whose(of_run, before=NOTHING) == {}
    assert whose(of_run, subject=whole_run, before=NOTHING) == {"s": Belongs.NEW}


def test_what_is_new_and_nobodys_is_told_but_never_ours():
    found = attribute(
        [secret("someones"), secret("known", labels={ID_LABEL: OTHER}), (PODS, item("p", owners=["x"]))],
        SUBJECT,
        before=NOTHING,
    )

    assert found.belonging == ()
    assert [each["metadata"]["name"] for _, each in found.new] == ["someones"]


def test_without_an_id_an_empty_label_makes_nothing_ours():
    nobody = Subject("", "gate-task-1")

    assert whose(secret("s", labels={ID_LABEL: ""}), secret("t"), subject=nobody) == {}
