"""The ApplicationSet controller with the pull-request, list and matrix generators."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from gatehouse.embedded import clock
from gatehouse.embedded.argocd.templates import TemplateError, render
from gatehouse.embedded.clock import Timings, pause
from gatehouse.embedded.code_host.pull_requests import Project
from gatehouse.embedded.copies import copied
from gatehouse.embedded.kubernetes.kinds import APPLICATION, APPLICATION_SET, Object
from gatehouse.embedded.kubernetes.store import ObjectStore, owned_by, owner_reference

Parameters = dict[str, Any]

FINALIZER = "resources-finalizer.argocd.argoproj.io"


class ApplicationSetController:
    """Makes the Applications that each ApplicationSet generates, and deletes those it no longer does.

    `webhooks` says whether events of the code host reach this controller; otherwise it only polls.
    """

    def __init__(self, store: ObjectStore, projects: dict[str, Project], timings: Timings) -> None:
        self._store = store
        self._projects = projects
        self._timings = timings
        self._wake = asyncio.Event()
        self.webhooks = True
        #: Names of sets whose generator fails, and its words.
        self.errors: dict[str, str] = {}
        #: Seconds after the start in which nothing is generated.
        self.first_after = 0.0
        #: The head commit of a pull request as of an earlier look at the code host, by its number.
        self.known_heads: dict[int, str] = {}

    def on_code_host_event(self) -> None:
        """A webhook has been delivered."""
        if self.webhooks:
            self._wake.set()

    async def run(self) -> None:
        """Generate for ever: on webhooks, on changes of a set, and at each poll."""
        await pause(self.first_after)
        while True:
            for application_set in self._store.select(APPLICATION_SET):
                self._generate(application_set)
            self._wake.clear()
            try:
                async with asyncio.timeout(self._timings.application_set_poll):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _generate(self, application_set: Object) -> None:
        name = application_set["metadata"]["name"]
        try:
            if name in self.errors:
                raise TemplateError(self.errors[name])
            wanted = [
                self._application(application_set, parameters)
                for generator in application_set["spec"]["generators"]
                for parameters in self._parameters(generator)
            ]
        except TemplateError as error:
            self._set_status(application_set, str(error))
            return
        self._apply(application_set, wanted)
        self._set_status(application_set, "")

    def _parameters(self, generator: Object) -> list[Parameters]:
        if "matrix" in generator:
            first, second = generator["matrix"]["generators"]
            pairs = itertools.product(self._parameters(first), self._parameters(second))
            return [{**left, **right} for left, right in pairs]
        if "list" in generator:
            return [dict(element) for element in generator["list"]["elements"]]
        if "pullRequest" in generator:
            return self._pull_requests(generator["pullRequest"])
        raise TemplateError(f"unsupported generator: {', '.join(generator)}")

    def _pull_requests(self, generator: Object) -> list[Parameters]:
        github = generator["github"]
        project = self._projects.get(f"{github['owner']}/{github['repo']}")
        if project is None:
            where = f"{github['owner']}/{github['repo']}"
            raise TemplateError(
                f"error listing repos: error listing pull requests for {where}: 404 Not Found"
            )
        wanted = set(github.get("labels", []))
        heads = {
            number: self.known_heads.get(number) or project.head(pull)
            for number, pull in project.pulls.items()
            if pull.state == "open"
        }
        return [
            {
                "number": str(pull.number),
                "title": pull.title,
                "branch": pull.branch,
                "branch_slug": pull.branch.replace("/", "-")[:50],
                "target_branch": pull.base,
                "head_sha": heads[pull.number],
                "head_short_sha": heads[pull.number][:8],
                "head_short_sha_7": heads[pull.number][:7],
                "author": pull.author,
                "labels": list(pull.labels),
            }
            for pull in project.pulls.values()
            if pull.state == "open" and wanted <= set(pull.labels)
        ]

    def _application(self, application_set: Object, parameters: Parameters) -> Object:
        template = render(application_set["spec"]["template"], parameters)
        metadata = template["metadata"]
        # Generated Applications carry no label or finalizer that the template does not give them.
        return {
            "metadata": {
                "name": metadata["name"],
                "namespace": application_set["metadata"]["namespace"],
                "labels": metadata.get("labels", {}),
                "annotations": metadata.get("annotations", {}),
                "finalizers": metadata.get("finalizers", []),
                "ownerReferences": [owner_reference(application_set)],
            },
            "spec": template["spec"],
        }

    def _apply(self, application_set: Object, wanted: list[Object]) -> None:
        namespace, uid = application_set["metadata"]["namespace"], application_set["metadata"]["uid"]
        for application in wanted:
            present = self._store.find(APPLICATION, namespace, application["metadata"]["name"])
            if present is None:
                self._store.create(APPLICATION, application, namespace)
            elif not present["metadata"].get("deletionTimestamp"):
                present["spec"] = application["spec"]
                present["metadata"]["labels"] = application["metadata"]["labels"]
                self._store.update(APPLICATION, present)
        names = {application["metadata"]["name"] for application in wanted}
        for application in self._store.select(APPLICATION, namespace):
            metadata = application["metadata"]
            if (
                owned_by(application, uid)
                and metadata["name"] not in names
                and not metadata.get("deletionTimestamp")
            ):
                self._store.delete(APPLICATION, namespace, metadata["name"])

    def _set_status(self, application_set: Object, error: str) -> None:
        metadata = application_set["metadata"]
        name = metadata["name"]
        owned = [
            each
            for each in self._store.select(APPLICATION, metadata["namespace"])
            if owned_by(each, metadata["uid"])
        ]
        before = {each["type"]: each for each in application_set.get("status", {}).get("conditions", [])}

        def condition(type_: str, true: bool, reason: str, message: str) -> Object:
            present = before.get(type_, {})
            status = "True" if true else "False"
            since = (
                present["lastTransitionTime"] if present.get("status") == status else clock.whole_seconds()
            )
            return {
                "type": type_,
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": since,
            }

        if error:
            conditions = [
                condition("ErrorOccurred", True, "ApplicationGenerationFromParamsError", error),
                condition("ParametersGenerated", False, "ErrorOccurred", error),
                condition("ResourcesUpToDate", False, "ApplicationGenerationFromParamsError", error),
            ]
        else:
            generated = "Successfully generated parameters for all Applications"
            up_to_date = "All applications have been generated successfully"
            conditions = [
                condition("ErrorOccurred", False, "ApplicationSetUpToDate", up_to_date),
                condition("ParametersGenerated", True, "ParametersGenerated", generated),
                condition("ResourcesUpToDate", True, "ApplicationSetUpToDate", up_to_date),
            ]
        resources = [
            {
                "group": "argoproj.io",
                "version": "v1alpha1",
                "kind": "Application",
                "name": each["metadata"]["name"],
                "namespace": each["metadata"]["namespace"],
                "status": each.get("status", {}).get("sync", {}).get("status", "Unknown"),
                "health": copied(each.get("status", {}).get("health", {"status": "Unknown"})),
            }
            for each in owned
        ]
        status = {"conditions": conditions, "resources": resources, "resourcesCount": len(resources)}
        self._store.set_status(APPLICATION_SET, metadata["namespace"], name, status)
