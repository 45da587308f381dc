"""Signing in to the platform of the pull request's preview."""

import pytest
from playwright.sync_api import expect


def test_an_owner_signs_in_and_sees_their_name(sign_in, home, personas):
    owner = personas.persona("owner")

    sign_in.open().sign_in(owner.username, owner.password)

    home.expect_welcome(owner.username)


def test_a_wrong_password_is_refused_with_a_message(sign_in, personas):
    sign_in.open().sign_in(personas.persona("owner").username, "not-the-password")

    expect(sign_in.page.get_by_text("Invalid username or password.")).to_be_visible()


def test_who_is_invited_is_asked_to_wait_for_the_invitation(sign_in, personas):
    invited = personas.persona("invited")

    sign_in.open().sign_in(invited.username, invited.password)

    expect(sign_in.page.get_by_role("heading", name="You have been invited")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("suspended", "Your account is suspended."),
        ("nonmember", "You are not a member of this shop."),
    ],
)
def test_who_may_not_enter_is_told_why(sign_in, personas, name, words):
    refused = personas.persona(name)

    sign_in.open().sign_in(refused.username, refused.password)

    expect(sign_in.alert).to_have_text(words)


@pytest.mark.persona("owner")
def test_who_has_signed_in_before_need_not_again(home, persona):
    home.open().expect_welcome(persona.username)


def test_the_api_refuses_those_who_have_not_signed_in(preview):
    assert preview.get("platform", "/api/cart").status == 401
