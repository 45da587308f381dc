from datetime import UTC, datetime

import pytest

from gatehouse.smoke.baseline import Baseline, Section
from gatehouse.smoke.differences import JUDGES, Judgement, compare

OLD, NEW = "v2.36.3+7e0ff4c", "v2.37.0+1d6b2f7"

PARAMETER = {"type": "string", "required": False}
TEMPLATE = {"id": "1", "active_version": "calm", "parameters": {"region": PARAMETER}}


def baseline(version=OLD, **sections):
    found = {name.replace("_", "-"): Section(facts=facts) for name, facts in sections.items()}
    deployment = {"version": version, **(found.pop("deployment").facts if "deployment" in found else {})}
    return Baseline(
        gatehouse="1",
        taken=datetime(2026, 11, 21, tzinfo=UTC),
        url="https://coder.example.com",
        sections={"deployment": Section(facts=deployment), **found},
    )


def judged(section, before, now, version=NEW):
    """What is said about the facts of a section after an upgrade, without the upgrade itself."""
    found = compare(baseline(**{section: before}), baseline(version, **{section: now}))
    return [(each.fact, each.judgement) for each in found if each.fact != "version"]


def test_what_is_as_it_was_makes_no_difference():
    assert compare(baseline(users={"a": {}}), baseline(users={"a": {}})) == []


def test_a_newer_version_is_expected_and_an_older_one_is_broken():
    assert [each.judgement for each in compare(baseline(OLD), baseline(NEW))] == [Judgement.EXPECTED]
    assert [each.judgement for each in compare(baseline(NEW), baseline(OLD))] == [Judgement.BROKEN]


def test_versions_that_cannot_be_compared_are_suspicious():
    assert [each.judgement for each in compare(baseline("devel"), baseline(NEW))] == [Judgement.SUSPICIOUS]


@pytest.mark.parametrize(
    ("section", "before", "now", "judgement"),
    [
        ("deployment", {"deployment_id": "a"}, {"deployment_id": "b"}, Judgement.BROKEN),
        ("deployment", {"first_user": True}, {"first_user": False}, Judgement.BROKEN),
        ("deployment", {"access_url": "https://a"}, {"access_url": "https://b"}, Judgement.BROKEN),
        ("deployment", {"agent_api_version": "2.4"}, {"agent_api_version": "2.5"}, Judgement.EXPECTED),
        ("sign_in", {"oidc.enabled": True}, {"oidc.enabled": False}, Judgement.BROKEN),
        ("sign_in", {"password.enabled": False}, {"password.enabled": True}, Judgement.SUSPICIOUS),
        ("sign_in", {"oidc.text": "SSO"}, {"oidc.text": "OpenID"}, Judgement.SUSPICIOUS),
        ("experiments", {"oauth2": True}, {}, Judgement.EXPECTED),
        ("experiments", {}, {"chats": True}, Judgement.EXPECTED),
        ("entitlements", {"has_license": True}, {"has_license": False}, Judgement.BROKEN),
        ("entitlements", {"audit": "entitled"}, {"audit": "not_entitled"}, Judgement.BROKEN),
        ("entitlements", {}, {"boundary": "not_entitled"}, Judgement.EXPECTED),
        ("templates", {"code": TEMPLATE}, {}, Judgement.BROKEN),
        ("templates", {}, {"code": TEMPLATE}, Judgement.SUSPICIOUS),
        ("templates", {"code": TEMPLATE}, {"code": {**TEMPLATE, "id": "2"}}, Judgement.SUSPICIOUS),
        (
            "templates",
            {"code": TEMPLATE},
            {"code": {**TEMPLATE, "active_version": "x"}},
            Judgement.SUSPICIOUS,
        ),
        ("provisioners", {"online": 3}, {"online": 0}, Judgement.BROKEN),
        ("provisioners", {"online": 3}, {"online": 2}, Judgement.SUSPICIOUS),
        ("provisioners", {"online": 1}, {"online": 2}, Judgement.EXPECTED),
        ("provisioners", {"tags": ["arm", "x"]}, {"tags": ["x"]}, Judgement.BROKEN),
        ("health", {"derp": {"severity": "ok"}}, {"derp": {"severity": "error"}}, Judgement.BROKEN),
        ("health", {"derp": {"severity": "ok"}}, {"derp": {"severity": "warning"}}, Judgement.SUSPICIOUS),
        ("health", {"derp": {"severity": "error"}}, {"derp": {"severity": "ok"}}, Judgement.EXPECTED),
        ("health", {"derp": {"severity": "ok"}}, {"derp": {"severity": "unheard of"}}, Judgement.BROKEN),
        (
            "health",
            {"derp": {"severity": "error", "dismissed": False}},
            {"derp": {"severity": "error", "dismissed": True}},
            Judgement.SUSPICIOUS,
        ),
        ("configuration", {"ttl": 1}, {"ttl": 2}, Judgement.SUSPICIOUS),
        ("configuration", {"old": 1}, {}, Judgement.EXPECTED),
        ("hostnames", {"wildcard": "*.a"}, {"wildcard": ""}, Judgement.BROKEN),
        ("hostnames", {"wildcard": ""}, {"wildcard": "*.a"}, Judgement.SUSPICIOUS),
        ("users", {"ci": {"login_type": "oidc"}}, {}, Judgement.BROKEN),
        ("users", {"ci": {"login_type": "oidc"}}, {"ci": {"login_type": "password"}}, Judgement.BROKEN),
        ("users", {}, {"new": {"login_type": "oidc"}}, Judgement.EXPECTED),
        ("something", {"a": 1}, {"a": 2}, Judgement.SUSPICIOUS),
    ],
)
def test_each_difference_is_judged_by_what_an_upgrade_explains(section, before, now, judgement):
    assert [each for _, each in judged(section, before, now)] == [judgement]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"region": PARAMETER, "size": {"type": "string", "required": True}},
            "size is new and has no default",
        ),
        ({"region": {"type": "number", "required": False}}, "region is a number and was a string"),
        ({"region": {"type": "string", "required": True}}, "region is required now"),
    ],
)
def test_parameters_that_lock_existing_workspaces_are_broken(parameters, words):
    now = {"code": {**TEMPLATE, "active_version": "new", "parameters": parameters}}

    (_, found) = compare(baseline(templates={"code": TEMPLATE}), baseline(NEW, templates=now))

    assert (found.judgement, words in found.why) == (Judgement.BROKEN, True)


def test_a_further_parameter_with_a_default_locks_nobody_out():
    parameters = {"region": PARAMETER, "size": {"type": "string", "required": False}}
    now = {"code": {**TEMPLATE, "active_version": "new", "parameters": parameters}}

    assert judged("templates", {"code": TEMPLATE}, now) == [("code", Judgement.SUSPICIOUS)]


@pytest.mark.parametrize("section", ["experiments", "entitlements", "configuration"])
def test_what_a_new_version_would_explain_is_suspicious_without_one(section):
    assert judged(section, {}, {"a": "b"}, version=OLD) == [("a", Judgement.SUSPICIOUS)]


@pytest.mark.parametrize("side", ["before", "now"])
def test_what_could_not_be_looked_at_is_no_answer(side):
    facts, unknown = Section(facts={"a": 1}), Section(unverified="403: no")
    sides = [baseline(), baseline(NEW)]
    for name, each in zip(["before", "now"], sides, strict=True):
        each.sections["health"] = unknown if name == side else facts

    found = compare(*sides)[-1]

    assert (found.section, found.judgement) == ("health", Judgement.UNVERIFIED)
    assert "403: no" in found.why


def test_a_section_that_an_older_gatehouse_did_not_record_is_no_answer():
    found = compare(baseline(), baseline(NEW, users={"a": {}}))[-1]

    assert found.judgement is Judgement.UNVERIFIED


def test_a_difference_reads_as_a_sentence():
    found = compare(
        baseline(hostnames={"wildcard": "*.a"}), baseline(NEW, hostnames={"wildcard": "x" * 200})
    )[-1]

    assert str(found).startswith("broken: hostnames: wildcard: *.a → xxx")
    assert len(str(found)) < 250


@pytest.mark.parametrize(
    ("now", "judgement"),
    [
        ("https://docs.example.com/@v2.37.0", Judgement.EXPECTED),
        ("https://elsewhere.example.com/@v2.37.0", Judgement.SUSPICIOUS),
    ],
)
def test_an_option_that_names_the_version_changes_with_it(now, judgement):
    before = "https://docs.example.com/@v2.36.4+7e0ff4c"

    assert JUDGES["configuration"]("CODER_DOCS_URL", before, now, True)[0] is judgement
