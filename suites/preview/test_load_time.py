"""Pages are there before people leave."""

import pytest


def test_the_public_site_loads_within_its_budget(shop_site, load_budget):
    load_budget.check(shop_site.open().page)


@pytest.mark.persona("owner")
def test_the_home_page_loads_within_its_budget(home, load_budget):
    load_budget.check(home.open().page)
