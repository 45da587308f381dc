"""What axe-core finds nothing wrong with."""

import pytest


def test_the_public_site(shop_site, accessibility):
    accessibility.check(shop_site.open().page)


def test_the_sign_in_page(sign_in, accessibility):
    accessibility.check(sign_in.open().page)


@pytest.mark.persona("owner")
def test_the_home_page(home, persona, accessibility):
    home.open().expect_welcome(persona.username)

    accessibility.check(home.page)


@pytest.mark.persona("owner")
def test_the_orders(order_list, order, accessibility):
    accessibility.check(order_list.open().page)
