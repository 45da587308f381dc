"""The proof that an environment which says it is ready runs and serves the commit: pods, images, hostnames."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pathspec

from gatehouse.argocd.diagnose import lasting_pods, newest_replica_sets, older_pod, waiting_pod
from gatehouse.argocd.images import (
    ImageReference,
    asked_images,
    is_product,
    names_another_commit,
    parse_image,
)
from gatehouse.argocd.judge import Judgement, State
from gatehouse.argocd.revisions import commit_revision
from gatehouse.argocd.source import ApplicationSource, existing_tree
from gatehouse.core.deadline import Clock
from gatehouse.core.errors import EnvironmentProblem, InfrastructureError, PermissionDenied
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.core.setting_types import fill
from gatehouse.github.client import LISTED_FILES
from gatehouse.preview.probe import Answers, ask
from gatehouse.preview.registry import ImageRegistries
from gatehouse.preview.route import Route
from gatehouse.preview.subject import RunningImage, Subject, SubjectProof, prove_subject
from gatehouse.preview.urls import ROUTE_KINDS, FoundUrls, LiveObject, edge_problem, find_urls, host_of

Object = dict[str, Any]
Trees = Mapping[str, list[Object]]

#: Seconds for which it holds that a registry does not have an image.
REGISTRY_INTERVAL = 2.0

#: Reads that are made at the same time: there can be dozens of Applications.
READERS = 8

#: States in which an Application's pods need not have been made.
BEFORE_PODS = frozenset({State.STALE, State.COMPARING, State.SYNCING})

#: Kinds whose live objects tell of addresses, and of why they do not answer.
_EDGE_KINDS = frozenset(
    {*ROUTE_KINDS, "ConfigMap", "EndpointSlice", "SecretStore", "ClusterSecretStore", "ExternalSecret"}
)


class Prover:
    """Proves the subject of one pull request's environment at one commit."""

    def __init__(
        self,
        settings: PreviewSettings,
        source: ApplicationSource,
        registries: ImageRegistries,
        number: int,
        commit: str,
        repository: str,
        changed_files: list[str] | None,
        clock: Clock,
    ) -> None:
        """`changed_files` are those of the pull request; None if they are not needed."""
        self._settings = settings
        self._source = source
        self._registries = registries
        self._number = number
        self._commit = commit
        self._repository = repository
        self._clock = clock
        self._route = Route(settings.addresses, settings.tls)
        self.tag = fill(settings.image_tag, number, commit)
        self._components = changed_components(settings, changed_files)
        self._digests: dict[ImageReference, frozenset[str]] = {}
        self._absent_since: dict[ImageReference, float] = {}
        self._asked_again: dict[ImageReference, float] = {}
        #: What a registry would not tell, in its words.
        self.registry_problem = ""

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The image repositories of components that the pull request does not change."""
        return tuple(image for image, changed in self._components.items() if not changed)

    # --- images --------------------------------------------------------------------------------------

    def pending_images(
        self, applications: Mapping[str, Object], states: Mapping[str, Judgement]
    ) -> dict[str, str]:
        """The first image of each Application that is wanted and that its registry does not have (yet), by name.

        Once an Application is synced, an image counts as wanted if a pod is made of it: overrides can name images
        that no manifest uses.
        """
        pending: dict[str, str] = {}
        for name, application in applications.items():
            if states[name].state is State.READY:
                continue
            in_use = ((application.get("status") or {}).get("summary") or {}).get("images") or []
            for image in asked_images(application, self._settings.product_images):
                wanted = str(image) in in_use or states[name].state in BEFORE_PODS
                if image.tag == self.tag and wanted and not self._is_there(image):
                    pending.setdefault(name, str(image))
        return pending

    def has_images_of(self, application: Object) -> bool:
        """Whether the registry is known to have every image that an Application asks for."""
        images = asked_images(application, self._settings.product_images)
        return bool(images) and all(self._digests.get(image) for image in images)

    def may_still_come(self, proof: SubjectProof, applications: Mapping[str, Object]) -> bool:
        """Whether all that is wrong are images of other commits that the GitOps repository names, not the spec.

        There a new tag is seen only at Argo CD's next poll.
        """
        wrong = [(each.application, parse_image(each.image)) for each in proof.wrong]
        return bool(wrong) and all(
            image is not None
            and names_another_commit(image.tag, self.tag)
            and not asked_images(applications[name], self._settings.product_images)
            for name, image in wrong
        )

    def expected_image(self, application: Object) -> str:
        """What an Application asks for, in few words: an image of the product, or the commit."""
        images = asked_images(application, self._settings.product_images)
        return str(images[0]).replace(self._commit, self._commit[:12]) if images else self._commit[:12]

    def _is_there(self, image: ImageReference) -> bool:
        """Whether a registry has an image; also where it cannot be asked, for then the kubelet will tell."""
        if not self._registries.knows(image) or self._digests.get(image):
            return True
        now = self._clock.monotonic()
        if now - self._absent_since.get(image, -REGISTRY_INTERVAL) < REGISTRY_INTERVAL:
            return False
        try:
            digests = self._registries.digests(image)
        except (InfrastructureError, EnvironmentProblem) as error:
            self.registry_problem = f"{error.summary}: {error.seen}"
            return True
        if digests:
            self._digests[image] = digests
            self._absent_since.pop(image, None)
        else:
            self._absent_since[image] = now
        return bool(digests)

    def _ask_again(self, image: ImageReference) -> None:
        """Look whether a tag has been pushed again, as with an image and then its index; else keep what is known."""
        now = self._clock.monotonic()
        if now - self._asked_again.get(image, -REGISTRY_INTERVAL) < REGISTRY_INTERVAL:
            return
        self._asked_again[image] = now
        with suppress(InfrastructureError, EnvironmentProblem):
            self._digests[image] = self._registries.digests(image) or self._digests[image]

    # --- pods ----------------------------------------------------------------------------------------

    def trees(self, applications: Mapping[str, Object]) -> dict[str, list[Object] | None]:
        """The resource tree of each Application; None for one that has gone meanwhile."""
        with ThreadPoolExecutor(READERS) as readers:
            read = readers.map(lambda entry: existing_tree(self._source, *entry), applications.items())
            return dict(zip(applications, read, strict=True))

    # --- the subject ---------------------------------------------------------------------------------

    def running(self, applications: Mapping[str, Object], trees: Trees) -> list[RunningImage]:
        """The images of all pods that are there to stay."""
        return [
            self._running(name, applications[name], pod, text)
            for name, nodes in trees.items()
            for pod in lasting_pods(nodes)
            for text in pod.get("images") or []
        ]

    def subject(
        self, applications: Mapping[str, Object], images: list[RunningImage], served: Mapping[str, str]
    ) -> SubjectProof:
        """Which commit the running images, the synced revisions and the answers are of."""
        revisions = {
            name: revision
            for name, each in applications.items()
            if (revision := commit_revision(each, self._commit, self._repository))
        }
        subject = Subject(
            self._commit,
            self.tag,
            tuple(self._settings.product_images),
            {  # only what the tag stands for: a digest that a spec pins is what is to be judged
                image.repository: digests
                for image, digests in self._digests.items()
                if image == ImageReference(image.repository, self.tag)
            },
            self._components,
        )
        return prove_subject(subject, images, revisions, served)

    def _running(self, name: str, application: Object, pod: Object, text: str) -> RunningImage:
        """A running image; with the digest it was pulled as, where a registry can tell what that should be."""
        image = parse_image(text)
        asked = image and is_product(image, self._settings.product_images) and self._registries.knows(image)
        if not image or not asked:
            return RunningImage(name, pod["name"], text)
        tagged = ImageReference(image.repository, self.tag)
        digest = self._pulled_digest(name, application, pod, text)
        self._is_there(tagged)
        known, pulled = self._digests.get(tagged), digest or image.digest
        if known and pulled and pulled not in known:
            self._ask_again(tagged)
        return RunningImage(name, pod["name"], text, digest)

    def _pulled_digest(self, name: str, application: Object, pod: Object, text: str) -> str:
        try:
            live = self._source.resource(name, application["spec"]["project"], pod)
        except InfrastructureError:
            return ""
        spec, told = live["spec"], live.get("status") or {}
        containers = [*(spec.get("initContainers") or []), *spec["containers"]]
        images = {each["name"]: each.get("image") for each in containers}
        for status in [
            *(told.get("initContainerStatuses") or []),
            *(told.get("containerStatuses") or []),
        ]:
            if images.get(status.get("name")) == text and "@" in str(status.get("imageID", "")):
                return str(status["imageID"]).rpartition("@")[2]
        return ""

    # --- the hostnames -------------------------------------------------------------------------------

    def edge_objects(self, applications: Mapping[str, Object], trees: Trees) -> list[LiveObject]:
        """The live routes, and what else tells of addresses and of why they do not answer."""
        maps = {each.config_map for each in self._settings.url_sources}
        wanted = [
            (name, node)
            for name, nodes in trees.items()
            for node in nodes
            if node["kind"] in _EDGE_KINDS and (node["kind"] != "ConfigMap" or node["name"] in maps)
        ]

        def read(name: str, node: Object) -> LiveObject | None:
            try:
                return LiveObject(
                    name, self._source.resource(name, applications[name]["spec"]["project"], node)
                )
            except (InfrastructureError, PermissionDenied):
                return None

        told = {node["name"] for _, node in wanted if node["kind"] == "ConfigMap"}
        wanted += [  # trees that are made from the cluster hold no ConfigMaps
            (name, {"kind": "ConfigMap", "version": "v1", "name": each, "namespace": namespace})
            for each in maps - told
            for name, application in applications.items()
            if (namespace := (application["spec"].get("destination") or {}).get("namespace"))
        ]
        with ThreadPoolExecutor(READERS) as readers:
            return [each for each in readers.map(lambda entry: read(*entry), wanted) if each]

    def urls(self, objects: list[LiveObject]) -> FoundUrls:
        """The addresses to test, and where they come from."""
        configured = {
            name: fill(pattern, self._number, self._commit) for name, pattern in self._settings.urls.items()
        }
        keys = [(each.name or each.key, each.config_map, each.key) for each in self._settings.url_sources]
        return find_urls(
            configured,
            keys,
            objects,
            self._settings.discovered_url,
            cross_check=self._settings.cross_check_urls,
        )

    def ask(self, urls: Mapping[str, str]) -> Answers:
        """What the hostnames answer now."""
        return ask(urls, self._settings, self._commit, self._route)

    def explain(self, answers: Answers, objects: list[LiveObject]) -> str:
        """What is wrong with the answers, and the condition of a route or secret that explains it."""
        cause = edge_problem(host_of(answers.url), objects)
        if not cause and "CERTIFICATE_VERIFY_FAILED" in answers.problem:
            cause = "if the authority is your own, name it in preview.tls.ca_file"
        return f"{answers.problem}; {cause}" if cause else answers.problem


@dataclass(frozen=True)
class PodCheck:
    """What the pods say that their Applications' health leaves out, by Application name."""

    problems: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


def check_pods(trees: Mapping[str, list[Object] | None]) -> PodCheck:
    """Pods of the newest version must be well, and those of older versions must be gone.

    An Application can be Healthy while its pods are Pending: their owners' health decides, not theirs. Pods that
    are ending do not count for health either, and answer requests until they have ended.
    """
    problems = {}
    for name, tree in trees.items():
        if pod := waiting_pod(tree or []):
            problems[name] = f"Healthy, but its pod {pod['name']} is {pod['health']['status']}"
        elif pod := older_pod(tree or []):
            problems[name] = f"Healthy, but the pod {pod['name']} of an older version is still there"
    return PodCheck(problems, tuple(name for name, tree in trees.items() if tree is None))


def fingerprint(application: Object, tree: list[Object]) -> dict[str, Any]:
    """What changes when an Application is deployed anew: the object itself, its last sync, its ReplicaSets."""
    status = application.get("status") or {}
    history = status.get("history") or [{}]
    return {
        "uid": application["metadata"].get("uid", ""),
        "last_sync": history[-1].get("id"),
        "replica_sets": newest_replica_sets(tree),
    }


def what_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is otherwise in two deployments, in words, by Application; nothing if they are the same."""
    changes = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            changes.append(f"Application {name} {'came' if one is None else 'went'}")
        elif one["uid"] != other["uid"]:
            changes.append(f"Application {name} was deleted and made anew")
        elif one["replica_sets"] != other["replica_sets"]:
            sets = f"{', '.join(one['replica_sets'])} → {', '.join(other['replica_sets'])}"
            changes.append(f"Application {name} was deployed anew ({sets})")
        elif one != other:
            changes.append(f"Application {name} was synced anew")
    return changes


def changed_components(settings: PreviewSettings, changed_files: list[str] | None) -> dict[str, bool]:
    """Each component's image repository, and whether the pull request changes a file it is built from.

    Code hosts list no more than so many files; whether there are others nobody tells, so all counts as changed then.
    """
    cut_off = len(changed_files or []) >= LISTED_FILES
    return {
        component.image: cut_off
        or any(pathspec.GitIgnoreSpec.from_lines(component.paths).match_files(changed_files or []))
        for component in settings.components.values()
    }
