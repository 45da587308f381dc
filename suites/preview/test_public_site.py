"""The public site of the pull request's preview."""

from playwright.sync_api import expect


def test_a_visitor_sees_the_products_and_their_prices(shop_site):
    shop_site.open()

    expect(shop_site.page.get_by_role("listitem")).to_have_count(2)
    expect(shop_site.page.get_by_text("Lamp")).to_be_visible()


def test_the_page_is_built_from_the_commit_under_test(shop_site, preview):
    assert shop_site.open().commit == preview.commit


def test_the_sign_in_link_leads_to_this_previews_own_platform(shop_site, preview):
    shop_site.open().follow_sign_in()

    expect(shop_site.page).to_have_url(f"{preview.urls['platform']}/login")
