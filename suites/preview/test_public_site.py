"""The public site of the pull request's preview."""

from playwright.sync_api import expect


def test_a_visitor_sees_the_products_and_their_prices(shop_site):
    shop_site.open()

    expect(shop_site.products).to_have_count(2)
    expect(shop_site.products.filter(has_text="Lamp")).to_contain_text("Lamp")


def test_the_page_is_built_from_the_commit_under_test(shop_site, preview):
    shop_site.open()

    expect(shop_site.commit).to_have_attribute("content", preview.commit)


def test_the_sign_in_link_leads_to_this_previews_own_platform(shop_site, preview):
    shop_site.open().follow_sign_in()

    expect(shop_site.page).to_have_url(f"{preview.urls['platform']}/login")


def test_the_lamp_looks_as_it_did(shop_site, assert_snapshot):
    shop_site.open()

    assert_snapshot(shop_site.picture("A lamp with a green shade"), "lamp")
