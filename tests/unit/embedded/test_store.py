import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.embedded.kubernetes.kinds import CONFIG_MAP, DEPLOYMENT, EVENT, NAMESPACE, POD, SECRET
from gatehouse.embedded.kubernetes.store import ApiError, ObjectStore, label_selector, owner_reference


@pytest.fixture
def store():
    store = ObjectStore()
    store.create(NAMESPACE, {"metadata": {"name": "default"}})
    return store


def config(name="settings", **metadata):
    return {"metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def refusal(call, *arguments):
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.reason


def test_a_created_object_has_identity_version_and_type(store):
    made = store.create(CONFIG_MAP, config(), "default")

    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert made["metadata"]["uid"]
    assert int(made["metadata"]["resourceVersion"]) == store.version


def test_a_name_exists_once_in_its_namespace(store):
    store.create(CONFIG_MAP, config(), "default")

    assert refusal(store.create, CONFIG_MAP, config(), "default") == (409, "AlreadyExists")


def test_nothing_can_be_created_in_a_namespace_that_is_missing_or_going(store):
    assert refusal(store.create, CONFIG_MAP, config(), "nowhere") == (404, "NotFound")

    store.create(NAMESPACE, {"metadata": {"name": "going"}})
    store.delete(NAMESPACE, "", "going")
    assert refusal(store.create, CONFIG_MAP, config(), "going") == (403, "Forbidden")


@pytest.mark.parametrize("name", ["", "Upper", "under_score", "-x", "x" * 254])
def test_an_illegal_name_is_refused(store, name):
    assert refusal(store.create, CONFIG_MAP, config(name), "default") == (422, "Invalid")


def test_an_update_against_an_old_version_is_a_conflict(store):
    first = store.create(CONFIG_MAP, config(), "default")
    store.update(CONFIG_MAP, {**first, "data": {"a": "2"}})

    assert refusal(store.update, CONFIG_MAP, {**first, "data": {"a": "3"}}) == (409, "Conflict")


def test_an_update_that_changes_nothing_is_not_an_event(store):
    made = store.create(CONFIG_MAP, config(), "default")
    version = store.version

    store.update(CONFIG_MAP, made)

    assert store.version == version


def test_only_a_change_of_spec_raises_the_generation(store):
    made = store.create(DEPLOYMENT, {"metadata": {"name": "web"}, "spec": {"replicas": 1}}, "default")
    store.set_status(DEPLOYMENT, "default", "web", {"replicas": 1})
    assert store.get(DEPLOYMENT, "default", "web")["metadata"]["generation"] == 1

    made = store.get(DEPLOYMENT, "default", "web")
    made["spec"]["replicas"] = 2
    assert store.update(DEPLOYMENT, made)["metadata"]["generation"] == 2


def test_an_object_with_finalizers_is_marked_and_goes_with_the_last_of_them(store):
    made = store.create(CONFIG_MAP, config(finalizers=["one", "two"]), "default")

    store.delete(CONFIG_MAP, "default", "settings")
    assert store.get(CONFIG_MAP, "default", "settings")["metadata"]["deletionTimestamp"]

    store.remove_finalizer(CONFIG_MAP, made, "one")
    assert store.find(CONFIG_MAP, "default", "settings")
    store.remove_finalizer(CONFIG_MAP, made, "two")
    assert store.find(CONFIG_MAP, "default", "settings") is None


def test_orphaning_keeps_the_dependents_and_takes_their_owner_off(store):
    owner = store.create(CONFIG_MAP, config("owner"), "default")
    store.create(CONFIG_MAP, config("child", ownerReferences=[owner_reference(owner)]), "default")

    store.delete(CONFIG_MAP, "default", "owner", "Orphan")

    assert store.get(CONFIG_MAP, "default", "child")["metadata"]["ownerReferences"] == []


def test_secrets_given_as_text_are_stored_encoded_only(store):
    made = store.create(SECRET, {"metadata": {"name": "s"}, "stringData": {"password": "hunter2"}}, "default")

    assert made["data"] == {"password": "aHVudGVyMg=="}
    assert "stringData" not in made


def test_the_same_event_again_is_counted_not_repeated(store):
    pod = store.create(POD, {"metadata": {"name": "p"}, "spec": {}}, "default")
    for _ in range(3):
        store.record_event(pod, "Warning", "BackOff", "Back-off pulling image", "kubelet")

    (event,) = store.select(EVENT, "default")
    assert (event["count"], event["involvedObject"]["uid"]) == (3, pod["metadata"]["uid"])


def test_what_readers_were_given_is_never_changed_later(store):
    store.create(CONFIG_MAP, config(), "default")
    (before,) = store.select(CONFIG_MAP, "default")

    changed = store.get(CONFIG_MAP, "default", "settings")
    changed["data"]["a"] = "2"
    store.update(CONFIG_MAP, changed)

    assert before["data"] == {"a": "1"}


def test_a_watch_gives_every_change_after_its_version_in_order(store):
    since = store.version
    store.create(CONFIG_MAP, config(), "default")
    store.create(POD, {"metadata": {"name": "other-kind"}, "spec": {}}, "default")
    store.delete(CONFIG_MAP, "default", "settings")

    async def two():
        watch = store.watch(CONFIG_MAP, since)
        return [(await anext(watch)).type for _ in range(2)]

    assert asyncio.run(two()) == ["ADDED", "DELETED"]


def test_a_watch_from_before_the_kept_history_is_gone(store):
    since = store.version - 1
    store.forget_history()

    assert refusal(store.changes_since, since) == (410, "Expired")


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=db", True),
        ("app in (api, web)", True),
        ("app notin (api),tier notin (x)", True),
        ("app", True),
        ("!tier", True),
        ("app=api", False),
        ("tier", False),
        ("app=web,tier", False),
        ("app in (api,db),app=web", False),
    ],
)
def test_label_selectors(selector, matches):
    assert label_selector(selector)({"metadata": {"labels": {"app": "web"}}}) is matches


@pytest.mark.parametrize("selector", ["a=b=c", "in (x)", "a in x", "=", "a ~ b"])
def test_a_selector_that_cannot_be_parsed_is_refused(selector):
    assert refusal(label_selector, selector) == (400, "BadRequest")


@given(st.lists(st.sampled_from(["create", "update", "delete"]), max_size=40))
def test_the_history_replayed_gives_the_present_state(operations):
    store = ObjectStore()
    store.create(NAMESPACE, {"metadata": {"name": "default"}})
    since = store.version
    for number, operation in enumerate(operations):
        name = f"c{number % 3}"
        present = store.find(CONFIG_MAP, "default", name)
        if operation == "create" and not present:
            store.create(CONFIG_MAP, config(name), "default")
        elif operation == "update" and present:
            store.update(CONFIG_MAP, {**present, "data": {"n": str(number)}})
        elif operation == "delete" and present:
            store.delete(CONFIG_MAP, "default", name)

    replayed = {}
    for change in store.changes_since(since):
        replayed.pop(change.item["metadata"]["name"], None)
        if change.type != "DELETED":
            replayed[change.item["metadata"]["name"]] = change.item
    assert sorted(replayed.values(), key=lambda item: item["metadata"]["name"]) == store.select(CONFIG_MAP)
