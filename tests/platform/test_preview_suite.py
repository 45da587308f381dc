"""`pytest -m preview` as a process of its own, on a small suite that needs no browser."""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
import yaml

from gatehouse.embedded.kubernetes.kinds import POD, REPLICA_SET
from gatehouse.evidence.record import read_record
from tests.platform.conftest import eventually
from tests.support.forked import run_pytest
from tests.support.journeys import OPTIONS

SITE = """
def test_the_site_answers(preview):
    assert preview.get("www", "/").status == 200


def test_the_shop_asks_to_sign_in(preview):
    assert preview.get("platform", "/").status in (200, 302, 303, 307)
"""

WAITS_FOR_A_FILE = """
import pathlib, time

def test_the_site_answers(preview):
    assert preview.get("www", "/").status == 200
    while not pathlib.Path("go-on").exists():
        time.sleep(0.05)
"""


class Suite:
    """A folder with a suite, and pytest on it."""

    def __init__(self, folder, platform):
        self.folder, self.platform = folder, platform
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("GITHUB_", "GATEHOUSE_"))
            },
            "GATEHOUSE_CONFIG": str(platform.configuration_file),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def begin(self, *arguments):
        command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *arguments):
        """The exit code, and all that was printed."""
        done = run_pytest([*OPTIONS, *arguments], self.folder, self.environment)
        return done.returncode, done.stdout + done.stderr

    @property
    def bundle(self):
        return (self.folder / "reports" / "latest").resolve()

    def proofs(self):
        record = read_record(self.bundle / "record.jsonl")
        return [each for each in record if each["event"] == "deployment_proof"]


@pytest.fixture
def suite_on(tmp_path, start):
    def suite_on(*scenarios, tests=SITE, **timings):
        (tmp_path / "suites" / "preview").mkdir(parents=True)
        (tmp_path / "suites" / "preview" / "test_site.py").write_text(tests)
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        return Suite(tmp_path, start(*scenarios, **timings))

    return suite_on


def change_target(platform, change):
    settings = yaml.safe_load(platform.configuration_file.read_text())
    change(settings["targets"]["embedded"])
    platform.configuration_file.write_text(yaml.safe_dump(settings))


def test_in_a_ci_job_nothing_need_be_named(suite_on):
    suite = suite_on()
    head = suite.platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    event = suite.folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": head}}}))
    suite.environment |= {
        "CI": "true",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": "f" * 40,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
    }

    code, output = suite.run("-n", "2")

    assert code == 0, output
    assert [(each["stage"], each["outcome"]) for each in suite.proofs()] == [
        ("start", "this commit"),
        ("end", "this commit"),
    ]
    assert suite.proofs()[0]["proof"]["proof"]["means"] == ["image digest", "served commit"]


def test_a_preview_that_cannot_be_tested_leaves_an_incident_note_everywhere(suite_on):
    suite = suite_on("crash-loop")

    code, output = suite.run("-n", "2")

    assert code == 1
    assert "Application pr-7-platform is failed: Pod pr-7/platform-" in output
    assert "(as above)" in output or "gw1" in output
    head = suite.platform.call(lambda systems: systems.shop.head(systems.shop.pulls[7]))
    assert json.loads((suite.bundle / "manifest.json").read_text())["subject"]["commit"] == head
    assert "Traceback (most recent call last)" in output, "the end of the container's log"
    assert "raise kind(" not in output, "no traceback of the harness"
    note = (suite.bundle / "attachments" / "preview-incident-start.md").read_text()
    for part in (
        "**symptom**",
        "**cause**: CrashLoopBackOff",
        "**remedy**",
        "**verify**",
        "rolling out",
        "History:",
    ):
        assert part in note
    (junit,) = suite.bundle.rglob("*.xml")
    assert any(note.strip() in (each.text or "") for each in ET.parse(junit).iter("system-out"))
    assert len([*(suite.bundle / "allure-results").glob("*-result.json")]) == 2
    attached = [path.read_text() for path in (suite.bundle / "allure-results").glob("*-attachment.txt")]
    assert note in attached
    (proof,) = suite.proofs()
    assert proof["incident"]["resource"].startswith("Pod pr-7/platform-")
    assert proof["incident"]["states"]["rolling out"] > 0


def test_a_preview_that_is_restarted_during_the_tests_makes_the_run_untrusted(suite_on):
    suite = suite_on("redeployed-during-tests", tests=WAITS_FOR_A_FILE)

    def restarted(systems):
        pods = systems.store.select(POD, "pr-7", "app=www")
        owners = {owner["uid"] for pod in pods for owner in pod["metadata"]["ownerReferences"]}
        sets = systems.store.select(REPLICA_SET, "pr-7")
        newest = max(
            (each for each in sets if each["metadata"]["name"].startswith("www-")),
            key=lambda each: int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
            default={"metadata": {"uid": ""}},
        )
        ready = newest.get("status", {}).get("readyReplicas")
        return len(sets) > 2 and owners == {newest["metadata"]["uid"]} and ready

    with suite.begin() as process:
        eventually(lambda: suite.platform.call(restarted), seconds=40)
        (suite.folder / "go-on").touch()
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 1, output
    assert "Application pr-7-www was deployed anew (www-" in output
    assert "# Preview changed during the tests" in output
    assert [(each["stage"], each["outcome"]) for each in suite.proofs()] == [
        ("start", "this commit"),
        ("end", "failed"),
    ]


def test_a_wait_that_was_killed_is_gone_on_with_by_the_next_command(suite_on):
    suite = suite_on("image-missing")
    with suite.begin() as process:
        assert any("image pending" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)

    def publish(systems):
        commit = systems.shop.head(systems.shop.pulls[7])
        systems.registry.push(
            "registry.preview.localhost/shop/platform",
            commit,
            systems.builds.image(commit, "services/platform"),
        )

    suite.platform.call(publish)
    code, output = suite.run()

    assert code == 0, output
    assert "resumed a wait that was cut off after" in output
    assert "images" in suite.proofs()[0]["proof"]["seconds"]


def test_without_a_token_for_argo_cd_the_cluster_is_asked(suite_on):
    suite = suite_on()
    change_target(suite.platform, lambda target: target["argocd"].update(token={"env": "NO_SUCH_TOKEN"}))

    code, output = suite.run()

    assert code == 0, output
    assert (
        "read through the Kubernetes API, because the environment variable NO_SUCH_TOKEN is not set" in output
    )


def test_the_browser_opens_a_preview_with_an_authority_of_ones_own(suite_on):
    opens = """
def test_the_site_opens(page, preview):
    assert page.goto(preview.urls["www"]).ok
"""
    suite = suite_on("self-signed-certificate", tests=opens)
    authority = {"ca_file": str(suite.platform.authority)}
    change_target(suite.platform, lambda target: target["preview"].update(tls=authority))

    code, output = suite.run()

    assert code == 0, output


def test_with_neither_a_token_nor_a_cluster_it_is_said_what_is_missing(suite_on):
    suite = suite_on()
    change_target(suite.platform, lambda target: target.pop("kubernetes"))
    change_target(suite.platform, lambda target: target["argocd"].update(token={"env": "NO_SUCH_TOKEN"}))

    code, output = suite.run()

    assert code == 1
    assert "the environment variable NO_SUCH_TOKEN is not set" in output


def test_a_preview_url_that_no_route_serves_is_refused(suite_on):
    suite = suite_on()
    change_target(suite.platform, lambda target: target["preview"].update(budgets={"edge_seconds": 1}))

    code, output = suite.run("--gate-preview-url", "http://www.preview.localhost:1")

    assert code == 1
    assert "no route of the Applications serves www.preview.localhost (gatehouse.yaml)" in output


def test_plain_lines_tell_of_states_and_of_nothing_else(suite_on):
    suite = suite_on("application-late")
    suite.environment["CI"] = "true"

    code, output = suite.run("-q")

    assert code == 0, output
    lines = [line for line in output.splitlines() if line.startswith("preview: ")]
    assert 2 <= len(lines) <= 15, lines
    assert "\x1b" not in output
