"""Who runs this, and who can sign in."""

import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import WaitTimeout
from gatehouse.core.waiting import wait_until

#: Seconds between looks while reconcilers are awaited.
INTERVAL = 1.0


def test_the_token_belongs_to_an_active_user(coder):
    me = coder.me()

    assert me.username
    assert me.status in ("", "active"), f"the user {me.username} is {me.status}"


def test_the_token_outlives_this_run(coder, coder_settings):
    left = coder.token_seconds_left()

    assert left > coder_settings.minimum_token_seconds, (
        f"the token ends in {left / 3600:.1f} h: make another one before it does"
    )


def test_first_run_set_up_is_closed(coder):
    assert coder.first_user_exists(), "first-run set-up is open: whoever comes first becomes the owner"


def test_somebody_can_sign_in(coder):
    methods = coder.auth_methods()

    assert any(methods.get(name, {}).get("enabled") for name in ("password", "github", "oidc")), methods


def test_the_ways_to_sign_in_are_those_that_are_wanted(coder, coder_settings):
    wanted = coder_settings.sign_in
    if not wanted:
        pytest.skip(
            "not configured: coder.sign_in of the target does not say which ways to sign in are wanted"
        )

    methods = coder.auth_methods()
    assert {name: bool(methods.get(name, {}).get("enabled")) for name in wanted} == wanted


def test_the_issuer_is_the_one_that_is_wanted(coder_owner, coder_settings):
    if coder_settings.oidc_issuer is None:
        pytest.skip("not configured: coder.oidc_issuer of the target does not name the issuer")

    options = coder_owner.deployment_config().get("options") or []
    issuers = [each.get("value") for each in options if each.get("env") == "CODER_OIDC_ISSUER_URL"]
    assert issuers == [coder_settings.oidc_issuer]


def test_the_user_of_this_run_signs_in_as_wanted(coder, coder_settings):
    if coder_settings.login_type is None:
        pytest.skip(
            "not configured: coder.login_type of the target does not say how the token's user signs in"
        )

    assert coder.me().login_type == coder_settings.login_type


def test_the_users_that_must_be_there_are_there_and_sign_in_as_wanted(coder_owner, coder_settings):
    wanted = coder_settings.users
    if not wanted:
        pytest.skip("not configured: coder.users of the target does not name users that must be there")

    def missing():
        found = {user.username: user.login_type for user in coder_owner.users()}
        return {
            name: f"signs in by {found[name]}, and should by {login_type}"
            if name in found
            else "is not there"
            for name, login_type in wanted.items()
            if name not in found or login_type not in ("", found[name])
        }

    reconciled(missing, "users", coder_settings)


def test_the_templates_that_must_be_there_are_there(coder, coder_settings):
    wanted = coder_settings.templates
    if not wanted:
        pytest.skip(
            "not configured: coder.templates of the target does not name templates that must be there"
        )

    def missing():
        found = {template.name for template in coder.templates()}
        return {name: "is not there" for name in wanted if name not in found}

    reconciled(missing, "templates", coder_settings)


def test_external_authentication_is_linked(coder, coder_settings):
    wanted = coder_settings.external_auth
    if not wanted:
        pytest.skip("not configured: coder.external_auth of the target names no provider that must be linked")

    unlinked = [name for name in wanted if not coder.external_auth(name).authenticated]
    assert not unlinked, (
        f"{', '.join(unlinked)}: not linked for {coder.me().username}, so workspaces cannot clone: a person has to "
        f"sign in as this user once at {coder.url}/external-auth/{unlinked[0]}"
    )


def reconciled(missing, what, settings):
    """Wait until nothing is missing: after a reset, jobs of the cluster bring back what they know."""
    try:
        wait_until(
            missing,
            what=what,
            ready=lambda found: not found,
            deadline=Deadline.after(settings.reconcile_seconds),
            interval=INTERVAL,
        )
    except WaitTimeout as error:
        still = "; ".join(f"{name} {state}" for name, state in missing().items())
        raise AssertionError(
            f"{what} still missing after {settings.reconcile_seconds:.0f} s, in which reconcilers could have brought "
            f"them back: {still}"
        ) from error
