import pytest

from gatehouse.coder.models import HealthSection
from gatehouse.smoke.health import problems, shown


def section(severity="ok", *codes, error=None, dismissed=False):
    warnings = [{"code": code, "message": "words"} for code in codes]
    return HealthSection(severity=severity, warnings=warnings, error=error, dismissed=dismissed)


@pytest.mark.parametrize("code", ["EACS03", "EACS04", "EDB01", "EWS01", "EPD01", "EUNKNOWN"])
def test_codes_by_which_users_are_affected_are_serious(code):
    assert problems(section("error", code)) == [f"{code}: words"]


@pytest.mark.parametrize("code", ["EDB02", "EDERP01", "ESTUN01", "EPD02"])
def test_other_codes_are_warnings(code):
    assert problems(section("warning", code)) == []


def test_an_error_is_serious_also_without_a_code():
    assert problems(section("error")) == ["severity is error, without a word about why"]
    assert problems(section("error", error="dial tcp: refused")) == ["dial tcp: refused"]


def test_a_dismissed_section_is_looked_at_nonetheless_and_that_is_said():
    bad = section("error", "EWS01", dismissed=True)

    assert problems(bad)
    assert "dismissed" in shown(bad)
    assert shown(section()) == ""
