"""Orders: in the browser, in the file that can be downloaded, and in the API beside them."""

import pytest
from playwright.sync_api import expect


@pytest.mark.persona("owner")
def test_an_order_is_listed_and_downloaded_until_it_is_cancelled(home, order_list, cart, orders):
    home.open().add("lamp")
    home.place_the_order(orders.note)

    expect(order_list.rows(orders.note)).to_have_count(1)
    (downloaded,) = [each for each in order_list.download() if each["note"] == orders.note]
    assert (downloaded["product"], downloaded["quantity"], downloaded["total"]) == ("lamp", "1", "24.90")

    order_list.cancel(orders.note)
    expect(order_list.rows(orders.note)).to_have_count(0)
    assert orders.listed() == []


@pytest.mark.persona("owner")
def test_the_page_shows_what_the_api_answers(order_list, orders):
    orders.place({"lamp": 2})
    orders.place({"chair": 1, "lamp": 1})

    order_list.open().expect_shown(orders.listed(), orders.note)


@pytest.mark.persona("viewer")
def test_a_viewer_sees_orders_and_cannot_cancel_them(order_list, orders, order):
    order_list.open().expect_shown(orders.listed("viewer"), orders.note)

    expect(order_list.page.get_by_role("button", name="Cancel order")).to_have_count(0)


@pytest.mark.persona("viewer")
def test_a_viewer_is_offered_no_order(home, persona):
    home.open().expect_welcome(persona.username)

    expect(home.page.get_by_role("button", name="Place the order")).to_have_count(0)


def test_the_api_takes_no_order_of_a_viewer(preview, orders):
    order = {"items": {"lamp": 1}, "note": orders.note}

    refused = preview.request("POST", "platform", "/api/orders", persona="viewer", json=order)

    assert (refused.status, orders.listed()) == (403, [])
