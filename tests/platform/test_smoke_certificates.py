"""The smoke suite against a Coder that is served over HTTPS."""

import pytest
import yaml

from gatehouse.coder.connect import trust_in
from gatehouse.core.errors import UsageError
from tests.platform.smoke_runs import SmokeRun

CONTROL_PLANE = "suites/smoke/test_control_plane.py"


def trust(platform, file):
    """Let the target's settings name a file of authorities."""
    settings = yaml.safe_load(platform.configuration_file.read_text())
    settings["targets"]["embedded"]["coder"]["ca_file"] = str(file)
    platform.configuration_file.write_text(yaml.safe_dump(settings))


@pytest.mark.parametrize(
    ("scenario", "trusted", "words"),
    [
        ("coder-private-authority", False, "who signed the certificate is not known here"),
        ("coder-certificate-for-another-name", True, "the certificate is for another"),
        ("coder-certificate-expired", True, "the certificate has expired"),
    ],
)
def test_a_certificate_that_is_not_accepted_is_told_at_once_by_its_cause(
    start, tmp_path, scenario, trusted, words
):
    platform = start(scenario)
    if trusted:
        trust(platform, platform.authority)
    run = SmokeRun(platform, tmp_path, CONTROL_PLANE, "-k", "process or database_has or websocket")

    assert run.exit_code == 1
    assert run.passed == set()
    assert [test for test, said in run.failed.items() if words not in said] == []
    assert "first error (infrastructure)" in run.output
    assert "like:" not in run.output
    assert platform.credentials.coder not in run.output


def test_with_the_authority_in_the_settings_everything_works(start, tmp_path):
    platform = start("coder-private-authority")
    trust(platform, platform.authority)
    chosen = "process or websocket or budget or terminal or deletion or healthy or browser or socket"
    files = ["control_plane", "workspace", "editor"]
    run = SmokeRun(platform, tmp_path, *(f"suites/smoke/test_{each}.py" for each in files), "-k", chosen)

    assert run.exit_code == 0, run.output
    assert "test_its_terminal_answers_resizes_and_speaks_utf_8" in run.passed
    assert "test_it_can_be_used_in_a_real_browser" in run.passed


def test_a_file_of_authorities_that_holds_none_is_named(tmp_path):
    file = tmp_path / "authority.pem"
    file.write_text("no certificate")

    with pytest.raises(UsageError, match=r"coder\.ca_file cannot be used: .*authority\.pem"):
        trust_in(file)
