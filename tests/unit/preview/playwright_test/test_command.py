import re
from pathlib import Path

import pytest

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.journey_settings import PlaywrightTestProject, SignInSettings
from gatehouse.core.preview_settings import PreviewSettings
from gatehouse.preview.playwright_test.command import MOST_LOCATIONS, environment, selection
from gatehouse.preview.playwright_test.given import Given, given_for_listing, given_from
from gatehouse.preview.playwright_test.results import listed
from gatehouse.preview.playwright_test.tree import changes
from tests.support.playwright_events import ROOT
from tests.support.playwright_events import listed as raw

TESTS = listed(
    [
        raw("1", project="one", line=3),
        raw("2", project="one", line=9),
        raw("3", project="two", line=3),
        raw("4", project="two", line=9),
        raw("5", project="one", spec="specs/b(1).spec.ts"),
    ],
    ROOT,
)


@pytest.mark.parametrize(
    ("chosen", "arguments"),
    [
        ("12345", []),
        ("135", [r"^/checkout/e2e/specs/a\.spec\.ts$:3", r"^/checkout/e2e/specs/b\(1\)\.spec\.ts$"]),
        ("4", ["--project=two", r"^/checkout/e2e/specs/a\.spec\.ts$:9"]),
        ("1234", [r"^/checkout/e2e/specs/a\.spec\.ts$"]),
    ],
)
def test_only_places_of_chosen_tests_are_given_to_playwright(chosen, arguments):
    assert selection(TESTS, set(chosen)) == arguments


def test_many_places_become_whole_files():
    tests = listed([raw(str(number), line=number) for number in range(MOST_LOCATIONS + 9)], ROOT)

    assert selection(tests, {each.key for each in tests[1:]}) == [r"^/checkout/e2e/specs/a\.spec\.ts$"]


def test_a_project_gets_no_secrets_and_no_variables_of_other_runs():
    base = {
        "PATH": "/bin",
        "GITHUB_TOKEN": "x",
        "ARGOCD_AUTH_TOKEN": "x",
        "CODER_SESSION_TOKEN": "x",
        "E2E_OWNER_PASSWORD": "x",
        "DATABASE": "postgres://u:planted-secret@db",
        "PYTEST_ADDOPTS": "x",
        "TEST_WORKER_INDEX": "1",
        "CI": "true",
    }

    found = environment(
        base, {"planted-secret"}, "http://www", {"E2E_OWNER_PASSWORD": "declared", "BASE_URL": "own"}
    )

    assert found.keys() & base.keys() == {"PATH", "CI", "E2E_OWNER_PASSWORD"}
    assert (found["CI"], found["E2E_OWNER_PASSWORD"], found["BASE_URL"]) == ("true", "declared", "own")
    assert found["PLAYWRIGHT_TEST_BASE_URL"] == "http://www"


def project(**settings):
    return PlaywrightTestProject(folder=Path("e2e"), **settings)


GIVEN = Given(
    urls={"www": "http://www", "api": "http://api"},
    number=7,
    commit="c" * 40,
    run_id="r",
    storage_states={"owner": Path("/s/owner.json")},
    credentials={"owner": ("ada", "planted-secret")},
)


def test_placeholders_are_filled_in():
    own = {
        "A": "{url:api}/x",
        "B": "{username:owner}:{password:owner}",
        "C": "{storage_state:owner}",
        "D": "{number} {commit}",
    }

    assert GIVEN.environment(project(environment=own)) == {
        "A": "http://api/x",
        "B": "ada:planted-secret",
        "C": "/s/owner.json",
        "D": f"7 {'c' * 40}",
    }


def test_the_base_url_and_the_state_are_those_that_the_project_names():
    assert (GIVEN.base_url(project()), GIVEN.storage_state(project())) == ("http://www", None)
    assert GIVEN.base_url(project(url="api")) == "http://api"
    assert GIVEN.storage_state(project(persona="owner")) == Path("/s/owner.json")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"url": "shop"}, "url"),
        ({"persona": "guest"}, "persona"),
        ({"environment": {"A": "{password:guest}"}}, "environment"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_the_key_to_correct(settings, key):
    asked = {"url": GIVEN.base_url, "persona": GIVEN.storage_state, "environment": GIVEN.environment}

    with pytest.raises(EnvironmentProblem, match="there is no such") as caught:
        asked[key](project(**settings))

    assert f"playwright_test[].{key} " in caught.value.next_step


def test_a_configuration_can_be_listed_before_anything_is_known():
    own = {"A": "{url:api}", "B": "{password:owner}", "C": "{storage_state:owner}"}
    settings = project(url="www", persona="owner", environment=own)

    given = given_for_listing(settings, Path("/state.json"))

    assert given.environment(settings) == {"A": "http://preview.invalid", "B": "listing", "C": "/state.json"}
    assert given.storage_state(settings) == Path("/state.json")
    assert re.match("http://", given.base_url(settings))


def test_credentials_are_not_shown():
    assert "planted-secret" not in repr(GIVEN)


def test_pages_may_be_of_the_preview_the_identity_provider_and_the_other_origins():
    settings = PreviewSettings(
        urls={"www": "https://www-{number}.example.com"},
        product_images=["x"],
        sign_in=SignInSettings(url="www", identity_origins=["https://login.example.com"]),
        other_origins=["https://pay.example.com:8443"],
        tls={"verify": False},
        addresses={"*.example.com": "10.0.0.1"},
    )

    given = given_from(
        settings, urls={"www": "https://www-7.example.com/x"}, number=7, commit="c", run_id="r"
    )

    assert given.allowed_origins == (
        "https://www-7.example.com",
        "https://pay.example.com:8443",
        "https://login.example.com",
    )
    assert given.ignore_https_errors
    assert given.arguments == ("--host-resolver-rules=MAP *.example.com 10.0.0.1",)


def test_files_that_are_new_changed_or_gone_are_changes():
    before = {"same": (" M", 1, 1), "changed": (" M", 1, 1), "gone": ("??", 1, 1)}
    after = {"same": (" M", 1, 1), "changed": (" M", 2, 1), "new": ("??", 1, 1)}

    assert changes(before, after) == ["changed", "gone", "new"]
    assert changes(None, after) == []


def test_a_hostname_that_is_not_in_ascii_is_written_as_browsers_write_it():
    given = given_from(
        None, urls={"www": "https://lämpen.example.com:443/x"}, number=7, commit="c", run_id="r"
    )

    assert given.allowed_origins == ("https://xn--lmpen-gra.example.com",)
