"""The cart of somebody who has signed in."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.persona("owner")


def test_the_cart_adds_up_and_can_be_emptied(home, cart):
    home.open().add("lamp")
    home.add("chair")
    expect(home.total).to_have_text("Cart total: 143.90")

    home.empty_the_cart()
    expect(home.total).to_have_text("Cart total: 0.00")


def test_a_list_fills_the_cart(home, cart):
    home.open().import_list("product,quantity\nlamp,2\nchair,1\n")

    expect(home.total).to_have_text("Cart total: 168.80")
    assert cart.contents()["items"] == {"lamp": 2, "chair": 1}


def test_a_list_with_a_mistake_is_refused_with_its_line(home, cart):
    home.open().import_list("lamp,2\nboat,1\n")

    expect(home.alert).to_have_text("Nothing was imported: line 2: boat is not sold here.")
    expect(home.total).to_have_text("Cart total: 0.00")
