"""The edge of the orchestrator of agents' sessions: pages, its API and that API's description, attaching."""

import json
from urllib.parse import urlsplit

import pytest

from gatehouse.core.errors import PermissionDenied
from gatehouse.core.problems import require_none
from gatehouse.edge import probe
from gatehouse.edge.names import address_of
from gatehouse.edge.verdict import websocket_problem
from gatehouse.kube.client import CUSTOM_RESOURCE_DEFINITIONS
from gatehouse.kube.rollout import condition


@pytest.fixture
def orchestrator(smoke_settings):
    if smoke_settings.orchestrator is None:
        pytest.skip("not configured: the target has no orchestrator (smoke.orchestrator)")
    return smoke_settings.orchestrator


@pytest.fixture
def ask(orchestrator, smoke_settings):
    """What the orchestrator's edge answers for paths, all asked for at once."""
    edge = smoke_settings.edge

    def ask(*paths, websocket=False):
        address = address_of(edge, urlsplit(orchestrator.url).hostname)
        requests = [
            probe.request(
                orchestrator.url + path,
                edge.timeout_seconds,
                address=address,
                ca_file=edge.ca_file,
                websocket=websocket,
            )
            for path in paths
        ]
        return dict(zip(paths, probe.from_here(requests), strict=True))

    return ask


def told(path, seen):
    """An answer in words."""
    kind = seen.headers.get("content-type", "no content type")
    return f"{path}: {seen.status or seen.words} ({kind}): {seen.body_words}"


def is_json(seen):
    try:
        json.loads(seen.body)
    except ValueError:
        return len(seen.body) >= probe.BODY and seen.body.lstrip().startswith(("{", "["))
    return "json" in seen.headers.get("content-type", "")


def test_its_pages_are_served(orchestrator, ask):
    require_none(
        [
            told(path, seen)
            for path, seen in ask(*orchestrator.pages).items()
            if seen.status != 200 or "html" not in seen.headers.get("content-type", "")
        ]
    )


def test_it_says_that_it_lives_and_is_ready(orchestrator, ask):
    require_none(
        [
            told(path, seen)
            for path, seen in ask(*orchestrator.health).items()
            if seen.status != 200 or "html" in seen.headers.get("content-type", "")
        ]
    )


def test_its_api_is_described_by_the_api_itself(orchestrator, ask):
    (seen,) = ask(orchestrator.description).values()

    assert seen.status == 200 and is_json(seen), told(orchestrator.description, seen)
    assert '"openapi"' in seen.body or '"swagger"' in seen.body, told(orchestrator.description, seen)


def test_its_api_is_answered_by_the_api_and_not_by_the_edges_page(orchestrator, ask):
    require_none(
        [
            told(path, seen)
            for path, seen in ask(*orchestrator.api).items()
            if not is_json(seen) or seen.status >= 500 or seen.status == 404
        ]
    )


def test_attaching_upgrades_to_a_websocket(orchestrator, ask):
    path = orchestrator.attach
    if path is None:
        pytest.skip("not configured: no path to attach to is named (smoke.orchestrator.attach)")
    (seen,) = ask(path, websocket=True).values()
    if seen.status in (401, 403):
        pytest.skip(f"unverified: attaching needs a token ({told(path, seen)})")

    require_none([websocket_problem(f"{orchestrator.url}{path}", seen)])


def test_its_custom_resources_are_established(orchestrator, cluster):
    if not orchestrator.custom_resources:
        pytest.skip("not configured: no custom resource is named (smoke.orchestrator.custom_resources)")
    problems = []
    for name in orchestrator.custom_resources:
        try:
            found = cluster.get(CUSTOM_RESOURCE_DEFINITIONS, name)
        except PermissionDenied as error:
            pytest.skip(f"unverified: the identity may not read custom resource definitions ({error.seen})")
        state = condition(found or {}, "Established")
        if state.get("status") != "True":
            problems.append(f"{name}: {state.get('message') or 'not Established' if found else 'not there'}")

    require_none(problems)
