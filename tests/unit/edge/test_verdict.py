import pytest

from gatehouse.core.smoke_settings import NameSettings
from gatehouse.edge.probe import Certificate, Seen
from gatehouse.edge.verdict import (
    answer_problem,
    certificate_problems,
    name_problem,
    sign_in_problem,
    vendor_of,
    websocket_problem,
)

HOST = "auth.example.com"
NOW = 1_800_000_000.0
DAY = 86400.0
REACHED = Seen("done", status=200)


def seen(stage="done", **fields):
    return Seen(stage, **fields)


def certificate(*names, issuer="Example CA", days=90.0):
    return Certificate(names or (HOST,), "", issuer, NOW + days * DAY)


def name(**settings):
    return NameSettings(url=f"https://{HOST}/", **settings)


# --- reaching a name ------------------------------------------------------------------------------------


def test_a_name_that_is_reached_has_no_problem():
    assert name_problem(HOST, "inside", REACHED, REACHED) == ""


def test_a_name_that_only_the_cluster_does_not_know_is_laid_to_its_dns():
    problem = name_problem(HOST, "inside", seen("name", words="Name or service not known"), REACHED)

    assert (
        "does not resolve inside the cluster, though it does outside (Name or service not known)" in problem
    )


def test_a_name_that_nobody_knows_is_not_laid_to_the_clusters_dns():
    unknown = seen("name", words="NXDOMAIN")

    assert name_problem(HOST, "inside", unknown, unknown) == f"{HOST} does not resolve from inside (NXDOMAIN)"
    assert name_problem(HOST, "outside", unknown, None) == f"{HOST} does not resolve from outside (NXDOMAIN)"


def test_a_time_out_inside_alone_is_a_hairpin():
    lost = seen("connect", timed_out=True, addresses=("203.0.113.10",), words="timed out")

    assert "(hairpin)" in name_problem(HOST, "inside", lost, REACHED)
    assert "(hairpin)" not in name_problem(HOST, "inside", lost, lost)
    assert "(hairpin)" not in name_problem(HOST, "outside", lost, REACHED)


def test_a_refused_connection_means_that_nothing_listens():
    refused = seen("connect", refused=True, addresses=("192.0.2.1",), words="Connection refused")

    assert "nothing listens for auth.example.com at 192.0.2.1, seen from outside" in name_problem(
        HOST, "outside", refused, None
    )


def test_a_fault_of_the_certificate_is_no_fault_of_the_way_there():
    assert name_problem(HOST, "inside", seen("tls", certificate_fault=20), REACHED) == ""


# --- certificates ---------------------------------------------------------------------------------------


def problems(of, wanted=None, days=14):
    return certificate_problems(HOST, of, wanted, NOW, days)


def test_a_certificate_that_is_valid_for_long_enough_has_no_problem():
    assert problems(seen(certificate=certificate())) == []
    assert problems(seen()) == []


def test_a_certificate_that_ends_soon_is_told_with_its_days():
    (problem,) = problems(seen(certificate=certificate(days=13.5)))

    assert problem == f"the certificate of {HOST} ends in 13.5 days, less than the 14 it should have"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (10, "has expired"),
        (9, "is not valid yet"),
        (18, "authority that is not trusted"),
        (20, "authority that is not trusted"),
        (62, "is for another name (it is for other.example.com, issued by Example CA)"),
        (999, "cannot be verified"),
    ],
)
def test_each_fault_of_a_certificate_has_its_own_words(fault, words):
    served = certificate("other.example.com")
    (problem,) = problems(seen("tls", certificate_fault=fault, certificate=served))

    assert words in problem


def test_a_certificate_that_could_not_be_read_is_told_all_the_same():
    (problem,) = problems(seen("tls", certificate_fault=20))

    assert "authority that is not trusted" in problem


@pytest.mark.parametrize(
    ("names", "subject", "vendor"),
    [
        (("*.azurefd.net",), "", "Azure Front Door"),
        (("d111.cloudfront.net",), "", "Amazon CloudFront"),
        (("ingress.local",), "Kubernetes Ingress Controller Fake Certificate", "ingress-nginx"),
        (("abc.123.traefik.default",), "TRAEFIK DEFAULT CERT", "Traefik"),
        ((HOST,), "", ""),
    ],
)
def test_default_certificates_are_known_by_their_names(names, subject, vendor):
    assert vendor_of(Certificate(names, subject)) == vendor


def test_a_vendors_certificate_is_told_as_such_whatever_is_wrong_with_it():
    for fault in (20, 62):
        served = certificate("*.azurefd.net")
        (problem,) = problems(seen("tls", certificate_fault=fault, certificate=served))
        assert "is Azure Front Door's own" in problem


def test_the_name_that_a_certificate_must_hold_may_be_told():
    assert problems(seen(certificate=certificate("*.example.com")), "auth.example.com") == []
    assert problems(seen(certificate=certificate("*.example.com")), "*.example.com") == []
    (problem,) = problems(seen(certificate=certificate("*.example.com")), "a.auth.example.com")
    assert "is for *.example.com, not for a.auth.example.com" in problem


def test_a_handshake_that_fails_without_a_certificate_is_told_with_the_librarys_words():
    assert problems(seen("tls", words="SSLError: wrong version number")) == [
        f"no TLS handshake with {HOST}: SSLError: wrong version number"
    ]


# --- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 302, 401, 403])
def test_any_answer_of_an_application_will_do(status):
    assert answer_problem(HOST, name(), seen(status=status)) == ""


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "", "an edge that has no route"),
        (404, "page not found", "answers 404: page not found"),
        (503, "no healthy upstream", "no pod behind it is ready"),
        (502, "bad gateway", "no answer from what is behind it"),
        (500, "oops", "answers 500: oops"),
    ],
)
def test_answers_of_the_edge_are_told_by_their_cause(status, body, words):
    assert words in answer_problem(HOST, name(), seen(status=status, body=body))


def test_statuses_that_are_asked_for_are_the_only_ones():
    assert answer_problem(HOST, name(status=[404]), seen(status=404)) == ""
    assert "answers 200, not 204" in answer_problem(HOST, name(status=[204]), seen(status=200, body="x"))


def test_the_text_that_is_asked_for_must_be_there():
    page = seen(status=200, body="<title>Sign in</title>", headers={"content-type": "text/html"})

    assert answer_problem(HOST, name(contains="Sign in"), page) == ""
    problem = answer_problem(HOST, name(contains='"issuer"'), page)
    assert problem == f"https://{HOST} answers 200 without the text '\"issuer\"': Sign in"


def test_a_connection_without_an_answer_is_told():
    assert "was connected to, but did not answer: reset" in answer_problem(
        HOST, name(), seen("http", words="reset")
    )


def test_what_could_not_be_reached_is_no_wrong_answer():
    assert answer_problem(HOST, name(), seen("connect")) == ""


# --- WebSockets and sign-in -----------------------------------------------------------------------------


def test_a_socket_that_was_upgraded_has_no_problem():
    assert websocket_problem("x/derp", seen(status=101, upgraded=True)) == ""


@pytest.mark.parametrize("status", [200, 400, 404, 426])
def test_any_other_answer_than_an_upgrade_is_a_problem(status):
    assert f"the answer is {status}" in websocket_problem("x/derp", seen(status=status))


def test_a_relay_that_coder_itself_says_is_not_there_is_switched_off():
    answer = seen(status=404, headers={"x-coder-build-version": "v2.36.4"})

    assert websocket_problem("x/derp", answer) == ""


def test_an_upgrade_by_somebody_else_is_none():
    assert "another's" in websocket_problem("x", seen(status=101, upgraded=False))


def test_a_login_page_or_a_way_to_it_is_no_refusal():
    assert sign_in_problem("i", "https://a/cb", seen(status=200)) == ""
    assert sign_in_problem("i", "https://a/cb", seen(status=302, headers={"location": "/login"})) == ""


def test_an_error_on_the_page_or_in_the_way_back_is_a_refusal():
    page = seen(status=400, body="Invalid parameter: redirect_uri")
    assert "400: Invalid parameter: redirect_uri" in sign_in_problem("i", "https://a/cb", page)
    back = seen(status=302, headers={"location": "https://a/cb?error=invalid_scope"})
    assert "error=invalid_scope" in sign_in_problem("i", "https://a/cb", back)
