"""What is put in place in a project's configuration, read by a real Node.js."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from gatehouse.preview import playwright_test
from gatehouse.preview.playwright_test.project import known_nodes

FOLDER = Path(playwright_test.__file__).parent

#: Prints the configuration that Playwright would be given.
SCRIPT = """
const { given, wrapped } = require(process.argv[1]);
process.stdout.write(JSON.stringify(wrapped(require(given.config), given)));
"""


@pytest.fixture
def wrapped(tmp_path):
    """Makes a project's configuration with what a run gives."""

    def wrapped(config, **changes):
        (tmp_path / "playwright.config.json").write_text(json.dumps(config))
        given = {
            "config": str(tmp_path / "playwright.config.json"),
            "output": "/bundle/output-1",
            "base_url": "https://www-pr-7.example.com/",
            "addresses": ["https://www-pr-7.example.com", "https://api-pr-7.example.com"],
            "storage_state": None,
            "storage_states": ["/states/owner.json", "/states/guest.json"],
            "executable": "/usr/bin/chromium",
            "arguments": ["--host-resolver-rules=MAP a b"],
            "ignore_https_errors": False,
            "video": True,
            **changes,
        }
        file = tmp_path / "given.json"
        file.write_text(json.dumps(given))
        done = subprocess.run(
            [known_nodes()[0], "-e", SCRIPT, str(FOLDER / "wrap.cjs")],
            env={**os.environ, "GATEHOUSE_PLAYWRIGHT_TEST": str(file)},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return wrapped


def test_relative_places_are_those_of_the_projects_own_configuration(wrapped, tmp_path):
    (tmp_path / "set-up.ts").write_text("")
    config = wrapped(
        {
            "testDir": "./specs",
            "globalSetup": "./set-up.ts",
            "tsconfig": "./tsconfig.e2e.json",
            "snapshotPathTemplate": "shots/{testFilePath}/{arg}{ext}",
            "expect": {
                "toHaveScreenshot": {"stylePath": "quiet.css", "pathTemplate": "{testDir}/{arg}{ext}"}
            },
            "projects": [
                {"name": "a", "testDir": "more", "outputDir": "out", "snapshotDir": "shots"},
                {"name": "b"},
            ],
        }
    )

    assert config["testDir"] == f"{tmp_path}/specs"
    assert config["globalSetup"] == f"{tmp_path}/set-up.ts"
    assert config["tsconfig"] == f"{tmp_path}/tsconfig.e2e.json"
    assert config["snapshotPathTemplate"] == f"{tmp_path}/shots/{{testFilePath}}/{{arg}}{{ext}}"
    assert config["expect"]["toHaveScreenshot"] == {
        "stylePath": [f"{tmp_path}/quiet.css"],
        "pathTemplate": "{testDir}/{arg}{ext}",
    }
    first, second = config["projects"]
    assert (first["testDir"], first["snapshotDir"]) == (f"{tmp_path}/more", f"{tmp_path}/shots")
    assert config["outputDir"] == "/bundle/output-1"
    assert "outputDir" not in first
    assert "testDir" not in second


def test_without_a_folder_of_tests_it_is_that_of_the_configuration(wrapped, tmp_path):
    config = wrapped({})

    assert config["testDir"] == str(tmp_path)
    assert config["respectGitIgnore"] is True


def test_nothing_is_started_updated_or_focused_and_only_our_reports_are_written(wrapped):
    config = wrapped(
        {"webServer": {"command": "x"}, "reporter": "html", "updateSnapshots": "all", "retries": 3}
    )

    assert "webServer" not in config
    assert config["metadata"] == {"gatehouse": {"webServer": True}}
    assert [each[0].rpartition("/")[2] for each in config["reporter"]] == ["list", "reporter.cjs"]
    assert (config["forbidOnly"], config["updateSnapshots"], config["retries"]) == (True, "none", 3)


@pytest.mark.parametrize(
    ("own", "used"),
    [
        (None, "https://www-pr-7.example.com/"),
        ("http://localhost:3000", "https://www-pr-7.example.com/"),
        ("not an address", "https://www-pr-7.example.com/"),
        ("https://api-pr-7.example.com/v1/", "https://api-pr-7.example.com/v1/"),
    ],
)
def test_the_base_url_is_the_previews(wrapped, own, used):
    config = wrapped({"use": {"baseURL": own}, "projects": [{"name": "a", "use": {"baseURL": own}}]})

    assert config["use"]["baseURL"] == used
    assert config["projects"][0]["use"]["baseURL"] == used


@pytest.mark.parametrize(
    ("state", "own", "used"),
    [
        (None, "auth.json", "auth.json"),
        ("/states/owner.json", None, "/states/owner.json"),
        ("/states/owner.json", "auth.json", "/states/owner.json"),
        ("/states/owner.json", "/states/guest.json", "/states/guest.json"),
        ("/states/owner.json", {"cookies": [], "origins": []}, {"cookies": [], "origins": []}),
    ],
)
def test_tests_start_as_the_persona_unless_the_project_says_who(wrapped, state, own, used):
    use = {"storageState": own} if own else {}

    config = wrapped({"projects": [{"name": "a", "use": use}]}, storage_state=state)

    assert config["projects"][0]["use"]["storageState"] == used


def test_only_chromium_is_told_which_browser_and_where_hostnames_lead(wrapped):
    config = wrapped(
        {
            "use": {"launchOptions": {"args": ["--own"]}},
            "projects": [
                {"name": "chromium"},
                {"name": "own", "use": {"launchOptions": {"executablePath": "/opt/chrome"}}},
                {"name": "firefox", "use": {"browserName": "firefox"}},
                {"name": "safari", "use": {"defaultBrowserType": "webkit"}},
            ],
        }
    )

    chromium, own, firefox, safari = (each["use"].get("launchOptions") for each in config["projects"])
    assert chromium == {
        "args": ["--own", "--host-resolver-rules=MAP a b"],
        "executablePath": "/usr/bin/chromium",
    }
    assert own["executablePath"] == "/opt/chrome"
    assert (firefox, safari) == (None, None)


@pytest.mark.parametrize(
    ("use", "video", "kept"),
    [
        ({}, True, ("retain-on-failure", "only-on-failure", "retain-on-failure")),
        ({}, False, ("retain-on-failure", "only-on-failure", "off")),
        ({"trace": "on", "screenshot": "off", "video": "off"}, True, ("on", "off", "off")),
    ],
)
def test_evidence_of_failures_is_kept_unless_the_project_says_otherwise(wrapped, use, video, kept):
    used = wrapped({"use": use}, video=video)["use"]

    assert (used["trace"], used["screenshot"], used["video"]) == kept


def test_certificates_are_taken_as_they_are_only_where_the_target_says_so(wrapped):
    assert "ignoreHTTPSErrors" not in wrapped({})["use"]
    assert wrapped({}, ignore_https_errors=True)["use"]["ignoreHTTPSErrors"] is True


def test_a_configuration_cannot_leave_a_part_of_the_tests_to_other_machines(wrapped):
    assert "shard" not in wrapped({"shard": {"current": 1, "total": 2}})
