"""Random but legal histories of an application controller, seen through a lossy stream, judged at every step.

Never ready by a version of the object that was written when the truth was otherwise, and had been since the
last thing that changed it; always ready once the truth stays so.
"""

import os
import random
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from gatehouse.argocd.judge import Asked, Snapshot, State, judge
from gatehouse.argocd.table import ApplicationTable

COMMIT, OTHER = "c" * 40, "d" * 40
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ASKED = Asked(
    commit=COMMIT, repository="acme/shop", tag=COMMIT, product_images=("registry/shop/*",), grace=30, settle=5
)

#: The revision of the GitOps repository, where the commit travels as an image override.
GITOPS = "e" * 40

#: What can happen, and how often compared with the rest.
ACTIONS = {
    "tick": 8,
    "second": 4,
    "minute": 4,
    "ask for the commit": 6,
    "ask for another": 4,
    "compare": 12,
    "begin comparison": 3,
    "end comparison": 3,
    "sync": 5,
    "begin sync": 6,
    "end sync": 4,
    "end sync without a rollout": 2,
    "fail sync": 1,
    "become healthy": 8,
    "become degraded": 2,
    "report health": 6,
    "break manifests": 1,
    "repair manifests": 3,
    "recreate": 1,
}
STEPS = 80

#: What becomes of a version of the object on its way: how often it arrives, and how many steps late.
FATES = ((1, 0), (1, 0), (1, 0), (0, 0), (2, 0), (1, 1), (1, 3), (2, 5))

#: Histories that are tried; `make test-long` tries more.
SIMULATIONS = int(os.environ.get("GATEHOUSE_SIMULATIONS", "500"))


class Controller:
    """An application controller and its world, as far as the object shows it. Times are cut to whole seconds.

    What is deployed is a commit of the source's own repository, or, `by_image`, of an image that the source names.
    """

    def __init__(self, by_image):
        self.by_image = by_image
        self.now = 0.0
        self.version = 1
        self.uid = 1
        self.wanted, self.live = OTHER, OTHER
        self.healthy, self.broken = True, False
        self.capture = None
        self.compared = OTHER
        self.syncing = None
        self.status = {}
        self.steps = 0
        self.last_right = -1
        #: The step since which the status can know of the truth: what changed it, or when it was looked at.
        self.known_from = 0
        #: Versions of the object of which a verdict of ready would be true.
        self.truly_ready = set()

    @property
    def right(self):
        """The truth: the commit is deployed and well, and nothing is under way."""
        return self.live == COMMIT and self.healthy and not self.syncing

    def time(self):
        return (EPOCH + timedelta(seconds=int(self.now))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def source(self, commit):
        if not self.by_image:
            return {"repoURL": "https://git/acme/shop", "targetRevision": commit}
        images = {"images": [f"web=registry/shop/web:{commit}"]}
        return {"repoURL": "https://git/acme/gitops", "targetRevision": "main", "kustomize": images}

    def revision(self, commit):
        return GITOPS if self.by_image else commit

    def object(self):
        source = self.source(self.wanted)
        return {
            "metadata": {"name": "web", "uid": str(self.uid), "resourceVersion": str(self.version)},
            "spec": {"source": source, "syncPolicy": {"automated": {}}, "project": "p"},
            "status": dict(self.status),
        }

    def act(self, action):
        self.steps += 1
        getattr(self, "_" + action.replace(" ", "_"))()
        self.version += 1
        if self.right:
            self.last_right = self.steps
        if self.last_right >= self.known_from:
            self.truly_ready.add(self.version)

    def _tick(self):
        self.now += 0.3

    def _second(self):
        self.now += 1

    def _minute(self):
        self.now += 60

    def _ask_for_the_commit(self):
        self.wanted = COMMIT

    def _ask_for_another(self):
        self.wanted = OTHER

    def _compare(self):
        self._begin_comparison()
        self._end_comparison()

    def _sync(self):
        self._begin_sync()
        self._end_sync()

    def _begin_comparison(self):
        self.capture = (self.steps, self.time(), self.wanted, self.live, self.healthy, self.broken)

    def _end_comparison(self):
        if self.capture is None:
            return
        step, started, wanted, live, healthy, broken = self.capture
        self.known_from = max(self.known_from, step)
        self.capture = None
        sync = "Unknown" if broken else "Synced" if wanted == live else "OutOfSync"
        self.compared = wanted
        self.status |= {
            "reconciledAt": started,
            "sync": {
                "status": sync,
                "revision": self.revision(wanted),
                "comparedTo": {"source": self.source(wanted)},
            },
            "resources": [{"kind": "Deployment", "name": "web", "status": sync}],
            "conditions": [{"type": "ComparisonError", "lastTransitionTime": started}] if broken else [],
        }
        self._set_health(healthy)

    def _set_health(self, healthy):
        name = "Healthy" if healthy else "Degraded"
        if self.status.get("health", {}).get("status") != name:
            self.status["health"] = {"status": name, "lastTransitionTime": self.time()}

    def _begin_sync(self):
        if not self.syncing and self.status.get("sync", {}).get("status") == "OutOfSync":
            self.syncing = self.compared
            self.status["operationState"] = {
                "phase": "Running",
                "startedAt": self.time(),
                "operation": {"sync": {"revision": self.revision(self.syncing)}},
            }

    def _sync_by_hand(self):
        self.syncing = self.wanted
        self.status["operationState"] = {"phase": "Running", "startedAt": self.time()}
        self._end_sync()

    def _finish(self, phase):
        self.known_from = self.steps
        self.status["operationState"] = {
            **self.status["operationState"],
            "phase": phase,
            "finishedAt": self.time(),
            "syncResult": {"revision": self.revision(self.syncing), "source": self.source(self.syncing)},
        }
        self.syncing = None

    def _end_sync(self):
        if self.syncing:
            self.healthy = self.healthy and self.live == self.syncing
            self.live = self.syncing
            self._finish("Succeeded")

    def _end_sync_without_a_rollout(self):
        if self.syncing:
            self.live = self.syncing
            self._finish("Succeeded")

    def _fail_sync(self):
        if self.syncing:
            self._finish("Failed")

    def _become_healthy(self):
        self.healthy = True

    def _become_degraded(self):
        self.healthy = False

    def _report_health(self):
        if self.status.get("sync"):
            self.known_from = self.steps
            self._set_health(self.healthy)

    def _break_manifests(self):
        self.broken = True

    def _repair_manifests(self):
        self.broken = False

    def _recreate(self):
        self.uid += 1
        self.status, self.capture, self.syncing = {}, None, None


class Watcher:
    """What the waiting side does: it keeps a table, asks for a comparison where the judge wants one, and times."""

    def __init__(self, controller):
        self.controller = controller
        self.table = ApplicationTable()
        self.ready_since = self.unwell_since = None

    def look(self):
        now = EPOCH + timedelta(seconds=self.controller.now)
        snapshot = Snapshot(self.table.applications.get("web"), self.unwell_since, self.ready_since)
        judgement = judge(ASKED, snapshot, now)
        if judgement.state is State.READY:
            version = int(snapshot.application["metadata"]["resourceVersion"])
            assert version in self.controller.truly_ready, f"ready by version {version}"
        well = judgement.state in (State.SETTLING, State.READY)
        self.ready_since = (self.ready_since or now) if well else None
        self.unwell_since = None if well else self.unwell_since or now
        return judgement

    def list(self):
        self.table.replace([self.controller.object()], self.table.revision)


@settings(max_examples=SIMULATIONS, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(min_value=0, max_value=2**32), st.booleans())
def test_never_ready_before_it_is_true_and_always_once_it_stays_true(seed, by_image):
    chance = random.Random(seed)
    controller = Controller(by_image)
    watcher = Watcher(controller)
    under_way = []

    for step in range(STEPS):
        (action,) = chance.choices([*ACTIONS], [*ACTIONS.values()])
        controller.act(action)
        times, late = chance.choice(FATES)
        under_way += [(step + late, controller.object())] * times
        for due in [each for each in under_way if each[0] <= step]:
            under_way.remove(due)
            watcher.table.apply("MODIFIED", due[1])
        if chance.random() < 0.05:
            watcher.list()
        judgement = watcher.look()
        note(f"{step}: {action} → {judgement.state}: {judgement.reason}")

    for action in (
        *("repair manifests", "ask for the commit", "end comparison", "end sync", "second"),
        *("compare", "sync by hand", "second", "compare", "become healthy", "report health"),
    ):
        controller.act(action)
    assert controller.right
    late = [each for _, each in under_way]
    for _second in range(8):
        controller.act("second")
        watcher.list()
        for each in late:
            watcher.table.apply("MODIFIED", each)
        judgement = watcher.look()
        if judgement.refresh:
            controller.act("compare")
    assert judgement.state is State.READY, judgement
