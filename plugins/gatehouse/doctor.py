"""`gatehouse doctor`: what this machine, its variables and its rights allow; it changes nothing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gatehouse.coder.client import CoderClient
from gatehouse.coder.connect import connect
from gatehouse.coder.contract import load_description, missing_calls
from gatehouse.core.errors import GatehouseError, PermissionDenied, UsageError
from gatehouse.core.settings import CoderSettings, Target, choose_target, find_settings_file, load_settings
from gatehouse.kube.client import connect as connect_cluster
from gatehouse.smoke.rights import OWNER_NEEDS, USER_NEEDS, Need, missing_in_cluster, missing_rights


class State(StrEnum):
    """What a line of the doctor says."""

    OK = "ok"
    #: Checks that need it are skipped as unverified.
    UNVERIFIED = "unverified"
    #: A suite cannot be run.
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One line: about which system, how it is, in words, and what to do."""

    system: str
    state: State
    words: str
    next_step: str = ""


def doctor(target_name: str | None, api_description: Path | None = None) -> int:
    """Print what is there and what is missing, what to mend first at the top; 1 if a suite cannot be run.

    `api_description` is a swagger.json of Coder, whose calls are compared with those that the suites make.
    Raises `UsageError` for a target that is not configured.
    """
    settings = load_settings(find_settings_file(Path.cwd()))
    name, target = choose_target(settings, target_name)
    if target is None:
        raise UsageError(
            "no target is configured: the suites would start the embedded platform, where nothing is missing",
            next_step="set CODER_URL, ARGOCD_SERVER or KUBECONFIG, or name a target in gatehouse.yaml",
        )
    order = [State.PROBLEM, State.UNVERIFIED, State.OK]
    found = sorted(findings(target, api_description), key=lambda each: order.index(each.state))
    width = max(len(each.system) for each in found)
    for each in found:
        print(f"{each.system:<{width}}  {each.state:<10}  {each.words}")
        if each.next_step:
            print(f"{'':<{width}}  {'':<10}  next: {each.next_step}")
    problems = sum(each.state is State.PROBLEM for each in found)
    print(f"doctor: target {name}: {f'{problems} problems' if problems else 'the suites can be run'}")
    return 1 if problems else 0


def findings(target: Target, api_description: Path | None = None) -> Iterator[Finding]:
    """All there is to say about a target."""
    yield from _tools()
    if target.coder:
        yield from _coder(target.coder, api_description)
    else:
        yield Finding(
            "coder",
            State.UNVERIFIED,
            "not configured: no smoke and no task suite",
            "set CODER_URL and CODER_SESSION_TOKEN",
        )
    if target.kubernetes:
        yield from _cluster(target)
    else:
        yield Finding(
            "kubernetes",
            State.UNVERIFIED,
            "not configured: nothing is seen of pods, and no proof that nothing is left",
            "set KUBECONFIG, or run as a Job with a service account",
        )


def _tools() -> Iterator[Finding]:
    git = shutil.which("git")
    if git:
        yield Finding("tools", State.OK, f"git: {git}")
    else:
        yield Finding("tools", State.PROBLEM, "git is not installed: no inner suite", "install git")
    yield Finding("tools", State.OK, f"python: {sys.version.split()[0]}")


def _coder(settings: CoderSettings, api_description: Path | None) -> Iterator[Finding]:
    try:
        token = settings.token.read()
        owner_token = settings.deployment_token.read()
    except GatehouseError as error:
        yield _problem("coder", error)
        return
    with connect(settings, token) as user, connect(settings, owner_token) as owner:
        try:
            info = user.build_info()
            name = _name(user)
        except GatehouseError as error:
            yield _problem("coder", error)
            return
        yield Finding("coder", State.OK, f"{settings.url}: {info.version}, as {name}")
        yield _lifetime(user, settings)
        yield from _rights(user, USER_NEEDS, "token", State.PROBLEM)
        yield from _rights(
            owner, OWNER_NEEDS, "owner_token" if settings.owner_token else "token", State.UNVERIFIED
        )
        yield from _calls(user, api_description)


def _name(user: CoderClient) -> str:
    """Who the token is of, as far as it may know itself."""
    try:
        return user.me().username
    except PermissionDenied:
        return "a user whom the token's scopes leave out"


def _lifetime(user: CoderClient, settings: CoderSettings) -> Finding:
    try:
        left = user.token_seconds_left()
    except PermissionDenied as error:
        return Finding(
            "coder",
            State.UNVERIFIED,
            f"when the token ends cannot be told: {error.summary}",
            "use a token without scopes, or with api_key:read and, where Coder has it, user:read besides",
        )
    span = f"{left / 3600:.1f} h" if left < 2 * 86_400 else f"{left / 86_400:.0f} days"
    words = f"the token is good for {span}"
    if left < settings.minimum_token_seconds:
        return Finding("coder", State.PROBLEM, words, "make a new one: coder tokens create --lifetime 168h")
    return Finding("coder", State.OK, words)


def _rights(client: CoderClient, needs: tuple[Need, ...], token: str, state: State) -> Iterator[Finding]:
    try:
        missing = missing_rights(client, needs)
    except GatehouseError as error:
        yield Finding("coder", State.UNVERIFIED, f"what the {token} may do cannot be told: {error.summary}")
        return
    allowed = [need.checks for need in needs if need not in missing]
    if allowed:
        yield Finding("coder", State.OK, f"the {token} allows: {', '.join(allowed)}")
    for need in missing:
        yield Finding("coder", state, f"the {token} does not allow: {need.checks}", need.remedy)


def _calls(user: CoderClient, path: Path | None) -> Iterator[Finding]:
    """Which calls the deployment, or the description that was named, no longer has."""
    description = load_description(path) if path else user.api_description()
    if description is None:
        return
    missing = missing_calls(description)
    for each in missing:
        harm = f" ({each.optional})" if each.optional else ""
        state = State.OK if each.optional else State.UNVERIFIED
        yield Finding(
            "coder", state, f"the API no longer has {each}{harm}", "" if harm else "update Gatehouse"
        )
    if not missing:
        yield Finding("coder", State.OK, "the API has every call that the suites make")


def _cluster(target: Target) -> Iterator[Finding]:
    try:
        connection = connect_cluster(target.kubernetes)
        if connection is None:
            yield Finding(
                "kubernetes",
                State.UNVERIFIED,
                "there is no kubeconfig and no service account here: nothing is seen of pods",
                "set KUBECONFIG, or run the suite in the cluster as well (gatehouse job)",
            )
            return
        with connection as cluster:
            yield Finding("kubernetes", State.OK, f"{cluster.server}: {cluster.version()}")
            missing = missing_in_cluster(cluster)
    except GatehouseError as error:
        yield _problem("kubernetes", error)
        return
    for checks, refused in missing.items():
        yield Finding(
            "kubernetes",
            State.UNVERIFIED,
            f"not allowed, so not verified: {checks}",
            f"allow this identity to {', '.join(refused)}",
        )
    if not missing:
        yield Finding("kubernetes", State.OK, "everything may be looked at that the suites look at")


def _problem(system: str, error: GatehouseError) -> Finding:
    words = ": ".join(each for each in (error.summary, error.seen) if each)
    return Finding(system, State.PROBLEM, words, error.next_step)
