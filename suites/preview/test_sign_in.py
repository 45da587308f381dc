"""Signing in to the platform of the pull request's preview."""

from dataclasses import replace

from playwright.sync_api import expect


def test_an_owner_signs_in_and_sees_their_name(platform, owner):
    platform.sign_in(owner)

    platform.expect_signed_in(owner)


def test_a_wrong_password_is_refused_with_a_message(platform, owner):
    platform.sign_in(replace(owner, password="not-the-password"))

    expect(platform.page.get_by_text("Invalid username or password.")).to_be_visible()


def test_the_cart_adds_up_and_can_be_emptied(platform, owner):
    platform.sign_in(owner)
    platform.expect_signed_in(owner)
    platform.empty_the_cart()
    platform.add("lamp")
    platform.add("chair")
    expect(platform.page.get_by_role("status")).to_have_text("Cart total: 143.90")

    platform.empty_the_cart()
    expect(platform.page.get_by_role("status")).to_have_text("Cart total: 0.00")


def test_the_api_refuses_those_who_have_not_signed_in(preview):
    assert preview.get("platform", "/api/cart").status == 401
