"""The embedded gateway: what stands between a hostname and the pods behind it."""

import httpx
import pytest

from gatehouse.core.settings import load_settings
from tests.platform.conftest import head, preview, served


def configured(platform, name):
    return load_settings(platform.configuration_file).targets["embedded"].preview.urls[name]


def test_https_previews_are_trusted_only_by_those_who_know_the_authority(start):
    platform = start("self-signed-certificate")

    assert configured(platform, "www") == platform.urls.preview_url("www")
    assert platform.urls.preview_url("www").startswith("https://www-pr-{number}.preview.localhost:")
    assert served(platform, "www", "/version.json").json()["commit"] == head(platform)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        preview(platform, "www", "/version.json", trust=False)


def test_links_from_one_https_preview_to_the_other_are_https_too(start):
    platform = start("self-signed-certificate")

    assert (
        f'href="{platform.urls.preview_url("platform").format(number=7)}/login"'
        in served(platform, "www", "/").text
    )


def test_a_hostname_that_does_not_resolve_is_in_the_configuration_only(start):
    platform = start("hostname-unresolved")

    assert configured(platform, "platform").startswith("http://platform-pr-{number}.preview.invalid:")
    assert configured(platform, "www") == platform.urls.preview_url("www")
    assert served(platform, "platform", "/version.json").json()["commit"] == head(platform)
