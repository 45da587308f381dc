"""Whether an Application's status is about its present spec, and its spec about the commit that is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gatehouse.core.checkout import repository_name

Object = dict[str, Any]

#: A target revision that is a commit, whole or cut short, and not the name of a branch or a tag.
SHA = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Stale:
    """Why a status says nothing about what is asked; `refresh` if a comparison made anew may change it."""

    reason: str
    refresh: bool = False


def revision_problem(application: Object, commit: str, repository: str) -> Stale | None:
    """None if the status is about the present spec, and every source in `repository` is at `commit`.

    Without a commit, and for sources in other repositories, only the first half is asked.
    """
    spec, status = application["spec"], application.get("status") or {}
    if hydrator := spec.get("sourceHydrator"):
        return _hydrator_problem(hydrator, status, commit, repository)
    sync = status.get("sync") or {}
    compared = sync.get("comparedTo") or {}
    sources = _sources(spec)
    if sources != _sources(compared):
        return Stale("its status is about an older spec")
    if not commit:
        return None
    revisions = [*(sync.get("revisions") or [sync.get("revision") or ""]), *[""] * len(sources)]
    problems = (
        _source_problem(source, str(revision), commit)
        for source, revision in zip(sources, revisions, strict=False)
        if _is_of(source, repository)
    )
    return next(filter(None, problems), None)


def commit_revision(application: Object, commit: str, repository: str) -> str:
    """The revision at which a source in `repository` is, if it is the commit; empty for none and for others."""
    if not commit or not repository or revision_problem(application, commit, repository):
        return ""
    spec = application["spec"]
    hydrated = ((spec.get("sourceHydrator") or {}).get("drySource") or {}).get("repoURL")
    sources = [{"repoURL": hydrated}] if hydrated else _sources(spec)
    return commit if any(_is_of(each, repository) for each in sources) else ""


def _is_of(source: Object, repository: str) -> bool:
    """Whether a source is the git repository; a chart or an OCI image that is named like it has its own versions."""
    url = str(source.get("repoURL") or "")
    packaged = source.get("chart") or url.startswith("oci://")
    return not packaged and _same_repository(url, repository)


def _source_problem(source: Object, revision: str, commit: str) -> Stale | None:
    target = str(source.get("targetRevision") or "HEAD")
    if SHA.fullmatch(target) and not commit.startswith(target):
        return Stale(f"its spec asks for {target[:12]}, not for {commit[:12]}")
    if revision and commit.startswith(revision) and len(revision) >= 7:
        return None
    tracks = not SHA.fullmatch(target)
    where = f"{target} at {revision[:12] or 'nothing'}" if tracks else revision[:12] or "nothing"
    # A branch is looked up every few minutes; a comparison made now sees the commit at once.
    return Stale(f"it was compared with {where}, not with {commit[:12]}", refresh=tracks)


def _hydrator_problem(hydrator: Object, status: Object, commit: str, repository: str) -> Stale | None:
    """The hydrated commit is another one; which dry commit it was made from, the hydrator's status says."""
    operation = (status.get("sourceHydrator") or {}).get("currentOperation") or {}
    phase, message = operation.get("phase", "missing"), operation.get("message", "")
    if phase != "Hydrated":
        return Stale(f"hydration is {phase}" + (f": {message}" if message else ""))
    if (of := operation.get("sourceHydrator")) and of != hydrator:
        return Stale("what was hydrated is of an older spec")
    dry = str(operation.get("drySHA") or "")
    wanted = _same_repository(str((hydrator.get("drySource") or {}).get("repoURL", "")), repository)
    if commit and wanted and dry != commit:
        return Stale(f"{dry[:12] or 'nothing'} has been hydrated, not {commit[:12]}", refresh=True)
    sync = status.get("sync") or {}
    hydrated, compared = str(operation.get("hydratedSHA") or ""), str(sync.get("revision") or "")
    # The branch may have gone on since, with what others have hydrated: then the comparison must be a later one.
    later = (status.get("reconciledAt") or "") > (operation.get("finishedAt") or "")
    if hydrated and hydrated != compared and not later:
        reason = (
            f"it was compared with {compared[:12] or 'nothing'}, and {hydrated[:12]} has been hydrated since"
        )
        return Stale(reason, refresh=True)
    return None


def _sources(spec: Object) -> list[Object]:
    single = spec.get("source")
    return list(spec.get("sources") or ([single] if single else []))


def _same_repository(url: str, repository: str) -> bool:
    """Whether a clone address is that of `owner/name`, also below a root path of the code host."""
    name = f"/{repository_name(url) or ''}".lower()
    return bool(repository) and name.endswith(f"/{repository.lower()}")
