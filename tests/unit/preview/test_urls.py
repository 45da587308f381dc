"""Addresses: where they come from, what is checked about them, and why they may not answer."""

import pytest

from gatehouse.preview.urls import LiveObject, edge_problem, find_urls


def live(kind, name, **rest):
    return LiveObject("app", {"kind": kind, "metadata": {"name": name}, **rest})


def route(name, *hosts, kind="HTTPRoute", **conditions):
    given = [
        {"type": type_, "status": status, "reason": "R", "message": "M"}
        for type_, status in conditions.items()
    ]
    return live(kind, name, spec={"hostnames": list(hosts)}, status={"parents": [{"conditions": given}]})


WWW, API = route("www", "www-pr-7.example.com"), route("api", "api-pr-7.example.com")
INGRESS = live("Ingress", "old", spec={"rules": [{"host": "old-pr-7.example.com"}, {}]})
CONFIG = live("ConfigMap", "platform", data={"AUTH_URL": "https://api-pr-7.example.com", "EMPTY": ""})


def found(configured=None, keys=(), objects=(WWW, API, INGRESS, CONFIG), cross_check=True):
    return find_urls(configured or {}, keys, objects, "https://{host}", cross_check=cross_check)


def test_configured_addresses_come_first_and_say_where_they_are_from():
    urls = found({"www": "https://www-pr-7.example.com"}, [("api", "platform", "AUTH_URL")])

    assert urls.urls == {"www": "https://www-pr-7.example.com", "api": "https://api-pr-7.example.com"}
    assert urls.origins == {"www": "gatehouse.yaml", "api": "ConfigMap platform, key AUTH_URL"}
    assert urls.problem == ""


def test_without_any_every_route_and_ingress_has_an_address_called_like_it():
    assert found().urls == {
        "api": "https://api-pr-7.example.com",
        "old": "https://old-pr-7.example.com",
        "www": "https://www-pr-7.example.com",
    }


def test_an_address_that_no_route_serves_is_a_problem_that_names_those_they_serve():
    problem = found({"www": "https://www.dev.example.com"}).problem

    assert "no route of the Applications serves www.dev.example.com (gatehouse.yaml)" in problem
    assert "www-pr-7.example.com" in problem
    assert found({"www": "https://www.dev.example.com"}, cross_check=False).problem == ""


def test_a_wildcard_route_serves_the_names_below_it():
    assert found({"www": "https://a.example.com"}, objects=[route("all", "*.example.com")]).problem == ""


def test_where_the_applications_have_no_routes_there_is_nothing_to_check_against():
    assert found({"www": "https://anywhere.example.com"}, objects=[CONFIG]).problem == ""


@pytest.mark.parametrize(
    ("config_map", "key", "problem"),
    [
        ("platform", "EMPTY", "ConfigMap platform, key EMPTY holds no address: ''"),
        ("platform", "MISSING", "the Applications have no ConfigMap platform with the key MISSING"),
        ("nothing", "AUTH_URL", "the Applications have no ConfigMap nothing with the key AUTH_URL"),
    ],
)
def test_a_key_that_holds_no_address_is_a_problem(config_map, key, problem):
    assert found(keys=[("api", config_map, key)]).problem == problem


def test_neither_an_address_nor_a_route_is_a_problem():
    assert "no address is configured" in found(objects=[CONFIG]).problem


# --- why a hostname may not answer -----------------------------------------------------------------------------

HOST = "www-pr-7.example.com"
READY = live("EndpointSlice", "www-1", endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}])
EMPTY = live("EndpointSlice", "www-1", endpoints=[])
NOT_READY = live(
    "EndpointSlice", "www-1", endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}]
)


def store(kind="SecretStore", status="False"):
    condition = {"type": "Ready", "status": status, "reason": "InvalidProviderConfig", "message": "403"}
    return live(kind, "vault", status={"conditions": [condition]})


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ([], ""),
        ([route("www", HOST, Accepted="True", ResolvedRefs="True"), READY], ""),
        ([route("www", HOST, Accepted="False")], "HTTPRoute/www is not Accepted: R: M"),
        (
            [route("www", HOST, Accepted="True", ResolvedRefs="False")],
            "HTTPRoute/www is not ResolvedRefs: R: M",
        ),
        ([route("other", "elsewhere.example.com", Accepted="False")], ""),
        (
            [live("HTTPRoute", "www", spec={"hostnames": [HOST]})],
            "HTTPRoute/www has no status from any gateway yet",
        ),
        ([EMPTY], "EndpointSlice/www-1 has no ready endpoint"),
        ([NOT_READY], "EndpointSlice/www-1 has no ready endpoint"),
        ([store()], "SecretStore/vault is not ready: InvalidProviderConfig: 403"),
        ([store(status="True")], ""),
        ([store("ExternalSecret"), store()], "SecretStore/vault is not ready"),
        ([store(), EMPTY], "EndpointSlice/www-1 has no ready endpoint"),
        ([store(), EMPTY, route("www", HOST, Accepted="False")], "HTTPRoute/www is not Accepted"),
    ],
)
def test_routes_come_before_endpoints_and_those_before_secrets(objects, words):
    problem = edge_problem(HOST, objects)

    assert words in problem
    assert bool(problem) == bool(words)


def test_a_route_without_hostnames_serves_all_that_its_gateway_does():
    assert found({"www": "https://www.dev.example.com"}, objects=[API, route("all")]).problem == ""


def test_a_wildcard_is_no_address():
    assert found(objects=[route("all", "*.example.com", "a.example.com")]).urls == {
        "all": "https://a.example.com"
    }


def test_routes_of_one_name_have_an_address_each():
    other = route("www", "admin-pr-7.example.com", kind="GRPCRoute")

    assert found(objects=[WWW, other]).urls == {
        "www": "https://www-pr-7.example.com",
        "admin-pr-7.example.com": "https://admin-pr-7.example.com",
    }


def test_a_text_that_cannot_be_an_address_is_told():
    broken = live("ConfigMap", "platform", data={"AUTH_URL": "https://[::1"})

    assert "holds no address" in found({}, [("api", "platform", "AUTH_URL")], [broken]).problem


def test_only_the_endpoints_behind_the_hostname_are_to_blame():
    def behind(service):
        slice_ = {
            "kind": "EndpointSlice",
            "metadata": {"name": f"{service}-1", "labels": {"kubernetes.io/service-name": service}},
        }
        return LiveObject("app", slice_)

    www = route("www", HOST, Accepted="True")
    www.object["spec"]["rules"] = [{"backendRefs": [{"name": "www"}]}]

    assert edge_problem(HOST, [www, behind("worker")]) == ""
    assert "EndpointSlice/www-1 has no ready endpoint" in edge_problem(HOST, [www, behind("www")])
