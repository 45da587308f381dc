"""Every canonical name is resolved, reached and answered as it should be, from inside and from outside."""

import json

import pytest

from gatehouse.core.errors import NotFound, PermissionDenied
from gatehouse.core.problems import require_none
from gatehouse.edge import both_sides, probe
from gatehouse.edge.names import address_of, authorise_url, canonical_names
from gatehouse.edge.verdict import sign_in_problem
from gatehouse.kube.client import ENDPOINT_SLICES, GATEWAYS, SERVICES
from gatehouse.kube.gateways import gateway_problems, matches_any, services_without_endpoints
from gatehouse.kube.served import list_served


@pytest.fixture(scope="module")
def names(coder, coder_settings, smoke_settings):
    """The names that are configured, else those that Coder reports."""
    if smoke_settings.edge.names:
        return canonical_names(smoke_settings.edge, "", "", {})
    try:
        configuration = coder.deployment_config()
    except (PermissionDenied, NotFound):
        configuration = {}  # for owners only; the issuer is left out then
    return canonical_names(smoke_settings.edge, coder_settings.url, coder.app_host(), configuration)


@pytest.fixture(scope="module")
def outside(names, smoke_settings):
    return both_sides.look(names, smoke_settings.edge, "outside", probe.from_here)


@pytest.fixture(scope="module")
def inside(names, smoke_settings, ask_inside):
    return both_sides.look(names, smoke_settings.edge, "inside", ask_inside)


# --- from outside --------------------------------------------------------------------------------------


def test_every_canonical_name_is_reached_from_outside(names, outside):
    require_none(both_sides.unreached(names, outside, None))


def test_what_answers_from_outside_is_what_should(names, outside):
    require_none(both_sides.wrong_answers(names, outside))


def test_certificates_seen_from_outside_are_valid_for_their_names_and_for_a_while(
    names, outside, smoke_settings, evidence
):
    evidence.attach(
        "certificates.json",
        {name: vars(seen.certificate) for name, seen in outside.pages.items() if seen.certificate},
    )

    require_none(both_sides.wrong_certificates(names, outside, smoke_settings.edge))


def test_websockets_are_upgraded_from_outside(names, outside):
    if not outside.websockets:
        pytest.skip("not configured: no canonical name has a WebSocket (smoke.edge.names.<name>.websocket)")
    require_none(both_sides.wrong_websockets(names, outside))


def test_the_identity_provider_sends_people_back_to_every_name(names, smoke_settings):
    checks = [each.sign_in for each in names.values() if each.sign_in]
    if not checks:
        pytest.skip("not configured: no canonical name has a sign-in (smoke.edge.names.<name>.sign_in)")

    problems = [problem for check in checks for problem in [refusal(check, smoke_settings.edge)] if problem]
    require_none(problems)


def refusal(check, settings):
    """Why an authorise request is refused, without signing in."""

    def ask(url):
        host = url.split("/")[2].split(":")[0]
        request = probe.request(
            url, settings.timeout_seconds, address=address_of(settings, host), ca_file=settings.ca_file
        )
        return probe.from_here([request])[0]

    discovery = ask(f"{check.issuer}/.well-known/openid-configuration")
    try:
        endpoint = json.loads(discovery.body)["authorization_endpoint"]
    except (ValueError, KeyError):
        return f"{check.issuer} has no discovery document: {discovery.words or discovery.status} {discovery.body_words}"
    return sign_in_problem(check.issuer, check.redirect_uri, ask(authorise_url(check, endpoint)))


# --- from inside a workspace -----------------------------------------------------------------------------


def test_every_canonical_name_is_reached_from_inside_a_workspace(names, inside, outside):
    require_none(both_sides.unreached(names, inside, outside))


def test_what_answers_from_inside_a_workspace_is_what_should(names, inside):
    require_none(both_sides.wrong_answers(names, inside))


def test_certificates_seen_from_inside_a_workspace_are_valid_for_their_names(names, inside, smoke_settings):
    require_none(both_sides.wrong_certificates(names, inside, smoke_settings.edge))


def test_websockets_are_upgraded_from_inside_a_workspace(names, inside):
    if not inside.websockets:
        pytest.skip("not configured: no canonical name has a WebSocket (smoke.edge.names.<name>.websocket)")
    require_none(both_sides.wrong_websockets(names, inside))


# --- what the cluster says of its own edge ---------------------------------------------------------------


def test_gateways_are_programmed_and_have_addresses_and_good_listeners(cluster, smoke_settings):
    wanted = smoke_settings.edge.gateway_namespaces
    try:
        gateways = [
            each
            for namespace in wanted or [None]
            for each in list_served(cluster, GATEWAYS, ("v1beta1",), namespace)
        ]
    except NotFound:
        pytest.skip("not configured: the cluster has no Gateway API")
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not list Gateways ({error.seen})")
    if not gateways:
        pytest.skip("not configured: the cluster has no Gateway")

    require_none(gateway_problems(gateways))


def test_every_service_beside_coder_leads_to_a_ready_pod(cluster, control_plane, smoke_settings):
    namespace, patterns = control_plane["metadata"]["namespace"], smoke_settings.edge.services
    try:
        services = cluster.list_all(SERVICES, namespace)
        slices = cluster.list_all(ENDPOINT_SLICES, namespace)
    except PermissionDenied as error:
        pytest.skip(f"unverified: the identity may not look at Services in {namespace} ({error.seen})")

    wanted = [each for each in services if matches_any(each["metadata"]["name"], patterns)]
    require_none(services_without_endpoints(wanted, slices))
