import json

import pytest

from gatehouse.argocd.client import ArgoCDClient
from gatehouse.argocd.cluster import ClusterApplications
from gatehouse.argocd.source import ApplicationSource, Scope
from gatehouse.core.errors import NotFound, Transient
from tests.support.clock import FakeClock


def app(version, **rest):
    return {"metadata": {"name": "web", "uid": "web", "resourceVersion": str(version)}, **rest}


def event(kind, item):
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


class FakeWatch:
    def __init__(self, *said):
        self._said = list(said)

    def read(self, _size):
        return self._said.pop(0) if self._said else b""

    def close(self):
        self._said.clear()


class FakeCluster:
    server = "https://cluster.example"
    embedded = False

    def __init__(self, *watches, version="10", items=(), objects=None):
        self.watches = list(watches)
        self.version, self.items, self.objects = version, list(items), objects or {}
        self.watched_from = []
        self.lists = 0

    def list_versioned(self, _kind, _namespace, *, labels):
        self.lists += 1
        return list(self.items), self.version

    def watch(self, _kind, _namespace, version, _seconds, *, labels):
        self.watched_from.append(version)
        answer = self.watches.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, kind, name, _namespace):
        return self.objects.get((kind.plural, name))

    def list_all(self, kind, _namespace):
        return self.objects.get(kind.plural, [])


def source_of(cluster):
    """The source a follower of the cluster's Applications reads from."""
    return ClusterApplications(cluster, clock=FakeClock()).follow(Scope("a=b"))._source


def test_a_watch_says_at_once_that_it_stands_then_what_happens():
    source = source_of(FakeCluster(FakeWatch(event("ADDED", app(11)), event("DELETED", app(12)))))
    source.list()
    assert list(source.open().events()) == [None, ("ADDED", app(11)), ("DELETED", app(12))]


def test_a_watch_goes_on_where_the_list_ended_then_where_the_last_watch_did():
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "15"}})
    cluster = FakeCluster(FakeWatch(event("MODIFIED", app(11)), bookmark), FakeWatch())
    source = source_of(cluster)
    source.list()
    assert list(source.open().events())[-1] is None
    source.open()
    assert cluster.watched_from == ["10", "15"]
    assert cluster.lists == 1


def test_an_application_that_has_only_lost_its_labels_is_left_to_the_next_list():
    watch = FakeWatch(event("DELETED", app(11)))
    source = source_of(FakeCluster(watch, objects={("applications", "web"): app(12)}))
    source.list()
    assert list(source.open().events()) == [None, None]


GONE = event("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})


def test_a_version_that_is_forgotten_while_watching_is_listed_anew():
    cluster = FakeCluster(FakeWatch(GONE), FakeWatch())
    source = source_of(cluster)
    source.list()
    with pytest.raises(Transient, match="ended the watch"):
        list(source.open().events())
    cluster.version = "20"
    source.open()
    assert cluster.watched_from == ["10", "20"]


def test_a_version_that_is_forgotten_before_the_watch_is_listed_anew():
    cluster = FakeCluster(NotFound("410"), FakeWatch())
    source = source_of(cluster)
    source.list()
    with pytest.raises(NotFound):
        source.open()
    cluster.version = "20"
    source.open()
    assert cluster.watched_from == ["10", "20"]


def degraded():
    job = {"group": "batch", "version": "v1", "kind": "Job", "namespace": "pr-7", "name": "migrate"}
    return app(
        11,
        spec={"project": "previews", "destination": {"name": "in-cluster", "namespace": "pr-7"}},
        status={"health": {"status": "Degraded"}, "resources": [job]},
    )


def test_what_makes_an_application_degraded_is_filled_in_from_the_live_objects():
    failed = {"conditions": [{"type": "Failed", "status": "True", "message": "limit reached"}]}
    job = {"metadata": {"name": "migrate", "uid": "1"}, "status": failed}
    cluster = FakeCluster(items=[degraded()], objects={("jobs", "migrate"): job})

    (told,) = ClusterApplications(cluster).applications(Scope("a=b"))

    assert told["status"]["resources"][0]["health"] == {"status": "Degraded", "message": "limit reached"}


def windows(*project_windows, **destination):
    project = {"spec": {"syncWindows": list(project_windows)}}
    found = app(1, spec={"project": "previews", "destination": destination})
    cluster = FakeCluster(objects={("appprojects", "previews"): project, ("applications", "web"): found})
    return ClusterApplications(cluster).sync_windows("web", "previews").get("assignedWindows")


NIGHT = {"kind": "deny", "schedule": "0 22 * * *", "duration": "8h"}


@pytest.mark.parametrize(
    ("patterns", "assigned"),
    [
        ({"applications": ["w*"]}, True),
        ({"applications": ["api"]}, False),
        ({"namespaces": ["pr-*"]}, True),
        ({"clusters": ["in-cluster"]}, True),
        ({"applications": ["api"], "namespaces": ["pr-*"]}, True),
        ({"applications": ["api"], "namespaces": ["pr-*"], "andOperator": True}, False),
        ({}, False),
    ],
)
def test_a_window_is_assigned_by_its_patterns(patterns, assigned):
    found = windows({**NIGHT, **patterns}, name="in-cluster", namespace="pr-7")
    assert found == ([NIGHT] if assigned else [])


def test_both_clients_are_sources():
    sources: list[ApplicationSource] = [
        ArgoCDClient("https://argocd.example/", "token"),
        ClusterApplications(FakeCluster()),
    ]
    assert [each.server for each in sources] == ["https://argocd.example", "https://cluster.example"]
    assert [each.embedded for each in sources] == [False, False]
    sources[0].close()
