from urllib.parse import parse_qs, urlsplit

from gatehouse.core.smoke_settings import EdgeSettings, NameSettings, SignInCheck
from gatehouse.edge.names import address_of, authorise_url, canonical_names

ACCESS = "https://coder.example.com"


def found(app_host="", configuration=None, **settings):
    return canonical_names(EdgeSettings(**settings), ACCESS, app_host, configuration or {})


def test_what_is_configured_is_all():
    name = NameSettings(url="https://www.example.com")

    assert found("*.apps.example.com", names={"www": name}) == {"www": name}


def test_without_configuration_coders_own_address_counts():
    names = found()

    assert set(names) == {"coder"}
    assert names["coder"].url == "https://coder.example.com/healthz"
    assert (names["coder"].websocket, names["coder"].subprotocol) == ("/derp", "derp")


def test_a_name_below_the_wildcard_of_applications_counts():
    assert found("*.apps.example.com")["applications"].url == "https://gatehouse-probe.apps.example.com"
    assert found("*--apps.example.com")["applications"].url == "https://gatehouse-probe--apps.example.com"
    assert found("*.apps.example.com:8443")["applications"].url.endswith("apps.example.com:8443")


def test_the_issuer_that_coder_is_configured_with_counts():
    configuration = {"config": {"oidc": {"issuer_url": "https://auth.example.com/realms/shop/"}}}

    issuer = found(configuration=configuration)["identity provider"]
    assert issuer.url == "https://auth.example.com/realms/shop/.well-known/openid-configuration"


def test_a_configuration_without_an_issuer_names_none():
    for configuration in ({"config": {"oidc": {"issuer_url": ""}}}, {"config": None}, {}):
        assert set(found(configuration=configuration)) == {"coder"}


def test_names_of_this_machine_need_no_dns():
    settings = EdgeSettings(addresses={"www.example.com": "192.0.2.1"})

    assert address_of(settings, "a.localhost") == "127.0.0.1"
    assert address_of(settings, "www.example.com") == "192.0.2.1"
    assert address_of(settings, "other.example.com") == ""


def test_an_authorise_request_names_client_address_and_scope():
    check = SignInCheck(
        issuer="https://auth.example.com", client_id="web", redirect_uri="https://a/cb?x=1", scope="openid"
    )

    url = authorise_url(check, "https://auth.example.com/auth?kc=1")

    assert parse_qs(urlsplit(url).query) == {
        "kc": ["1"],
        "client_id": ["web"],
        "redirect_uri": ["https://a/cb?x=1"],
        "response_type": ["code"],
        "scope": ["openid"],
        "state": ["gatehouse"],
        "nonce": ["gatehouse"],
    }
