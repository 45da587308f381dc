"""The commands as processes: what they print, their exit codes, and what they leave behind."""

import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.bundles import COMMIT, phases, write_bundle
from tests.support.forked import run_module

#: Linux's system call that signals one thread, by architecture.
TGKILL = {"x86_64": 234, "aarch64": 131}.get(platform.machine())

ROOT = Path(__file__).resolve().parents[2]
GATEHOUSE = [sys.executable, "-m", "gatehouse.cli"]

#: Variables of the machine that would change what a command does.
AMBIENT = ("GATEHOUSE_", "CODER_", "ARGOCD_", "GITHUB_", "KUBECONFIG")


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
    return {**kept, **more}


def gatehouse(*arguments, cwd=ROOT, timeout=110, **environment):
    return run_module("gatehouse.cli", arguments, cwd, clean_environment(**environment), timeout)


class Up:
    """`gatehouse up` in the background, as in another terminal."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [*GATEHOUSE, "up", *arguments],
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.environment = {}
        for line in self.process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                self.environment[name] = value
            elif "until Ctrl-C" in line:
                break

    def end(self, number):
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=30)
        return self.process.returncode, output + errors


@pytest.fixture(scope="module")
def up():
    up = Up()
    yield up
    up.end(signal.SIGTERM)


# --- gatehouse up --------------------------------------------------------------------------------------


def test_up_prints_an_environment_with_which_every_system_can_be_asked(up, tmp_path):
    environment = up.environment
    coder = httpx.get(
        environment["CODER_URL"] + "/api/v2/users/me",
        headers={"Coder-Session-Token": environment["CODER_SESSION_TOKEN"]},
    )
    assert coder.json()["username"] == "gatehouse"
    argocd = httpx.get(
        environment["ARGOCD_SERVER"] + "/api/v1/applications",
        headers={"Authorization": f"Bearer {environment['ARGOCD_AUTH_TOKEN']}"},
    )
    assert argocd.status_code == 200
    github = httpx.get(
        f"{environment['GITHUB_API_URL']}/repos/{environment['GITHUB_REPOSITORY']}/pulls/7",
        headers={"Authorization": f"Bearer {environment['GITHUB_TOKEN']}"},
    )
    assert github.json()["number"] == 7
    if shutil.which("kubectl"):
        listed = subprocess.run(
            ["kubectl", "get", "namespaces", "-o", "name"],
            env=clean_environment(KUBECONFIG=environment["KUBECONFIG"], HOME=str(tmp_path)),
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert "namespace/coder" in listed.stdout


def test_suites_run_against_it_from_another_terminal(up, tmp_path):
    for suite, arguments in (
        ("preview", ["--gate-pr", "7", "-n", "2", "-k", "sign_in"]),
        ("task", ["-k", "exit_code"]),
        ("smoke", ["-k", "workspace and (budget or branch or deletion)"]),
    ):
        bundle = tmp_path / suite
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", suite, *arguments, "--gate-evidence", str(bundle)],
            cwd=ROOT,
            env=clean_environment(**up.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
        manifest = json.loads((bundle / "manifest.json").read_text())
        assert manifest["target"]["embedded"] is True


def test_a_browser_that_does_not_start_ends_the_preview_suite_before_anything_is_waited_for(up, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "preview", f"--gate-evidence={tmp_path / 'bundle'}"],
        cwd=ROOT,
        env=clean_environment(**up.environment, GATEHOUSE_BROWSER="/nonexistent/chromium"),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 4
    assert "the browser for the preview suite is not installed" in done.stderr
    assert "doesn't exist at /nonexistent/chromium" in done.stderr
    assert "GATEHOUSE_BROWSER" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["exit_status"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_on_a_signal_with_0_and_leaves_no_folder_and_no_listener(number):
    up = Up()
    folder = Path(up.environment["KUBECONFIG"]).parent
    assert folder.is_dir()

    code, output = up.end(number)

    assert (code, "Traceback" in output) == (0, False)
    assert not folder.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(up.environment["CODER_URL"])


def test_a_port_in_use_is_refused_with_a_way_forward():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = gatehouse("up", "--port", port)
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "choose another first port" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_git_it_says_what_to_install(tmp_path):
    done = gatehouse("up", PATH=str(tmp_path))
    assert done.returncode == 2
    assert "needs git, which is not on the PATH" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux" or TGKILL is None, reason="signals one thread by a call of Linux")
def test_a_signal_that_another_thread_received_ends_it_all_the_same():
    up = Up()
    # The kernel gives a signal for the process to any thread; this one is not the one that waits.
    thread = max(int(each.name) for each in Path(f"/proc/{up.process.pid}/task").iterdir())
    assert thread != up.process.pid
    ctypes.CDLL(None).syscall(TGKILL, up.process.pid, thread, signal.SIGTERM)

    output, errors = up.process.communicate(timeout=30)

    assert (up.process.returncode, "Traceback" in output + errors) == (0, False)


def test_an_unknown_scenario_is_refused_with_the_list():
    done = gatehouse("up", "--scenario", "sunny")
    assert done.returncode == 2
    assert "there is no scenario 'sunny'; there are: happy," in done.stderr


def test_the_scenarios_are_listed_with_their_systems():
    lines = gatehouse("up", "--list").stdout.splitlines()
    assert lines[0].split()[:2] == ["happy", "all"]
    assert len(lines) >= 15


# --- gate, verify, report ------------------------------------------------------------------------------

POLICY = "schema: 1\nsuites: {smoke: {}}\nallow_embedded: false\n"
ASKED = ("--repo", "acme/shop", "--pr", "7", "--commit", COMMIT)


@pytest.fixture
def bundle(tmp_path):
    write_bundle(
        tmp_path / "bundle",
        "smoke",
        {"suites/smoke/test_a.py::test_one": phases("suites/smoke/test_a.py::test_one")},
    )
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path / "bundle"


def gate(bundle, *more):
    folder = bundle.parent
    return gatehouse("gate", bundle, "--policy", folder / "policy.yaml", *ASKED, *more, cwd=folder)


def test_the_gate_opens_with_0_and_writes_the_verdict(bundle):
    done = gate(bundle)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "gate: open"), done.stdout + done.stderr
    verdict = json.loads((bundle.parent / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["reasons"]) == ("open", [])


def test_the_gate_closes_on_a_changed_file_and_names_it_last(bundle):
    junit = bundle / "junit.xml"
    junit.write_text(junit.read_text() + " ")
    done = gate(bundle)
    assert done.returncode == 13
    assert "junit.xml" in done.stdout.splitlines()[-2]
    assert json.loads((bundle.parent / "verdict.json").read_text())["class"] == "untrusted"


def test_a_bundle_that_is_not_there_is_incomplete_evidence_and_not_a_usage_error(bundle):
    done = gate(bundle.parent / "nothing")
    assert (done.returncode, done.stderr) == (12, "")
    assert "there is no evidence of the required suite smoke" in done.stdout


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("schema: 1\nsuits: {}\n", "suits"),
        ("suites: [", "policy.yaml"),
        ("", "policy.yaml"),
    ],
    ids=["unknown key", "not YAML", "empty"],
)
def test_a_faulty_policy_is_a_usage_error_with_its_place(bundle, policy, words):
    (bundle.parent / "policy.yaml").write_text(policy)
    done = gate(bundle)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (bundle.parent / "verdict.json").exists()


def test_a_missing_policy_is_a_usage_error(bundle):
    (bundle.parent / "policy.yaml").unlink()
    assert gate(bundle).returncode == 2


def test_verify_compares_files_with_the_manifest(bundle):
    assert gatehouse("verify", bundle).returncode == 0
    (bundle / "extra.txt").write_text("x")
    done = gatehouse("verify", bundle)
    assert done.returncode == 1
    assert "extra.txt" in done.stdout


def test_report_writes_one_page_even_of_a_bundle_that_cannot_be_read(bundle):
    (bundle / "record.jsonl").write_text("{")
    page = bundle.parent / "page.html"
    done = gatehouse("report", bundle, "-o", page)
    assert done.returncode == 0, done.stderr
    assert page.read_text().startswith("<!doctype html>")


def test_report_refuses_what_it_cannot_read_or_write(bundle):
    page = bundle.parent / "page.html"
    assert gatehouse("report", bundle.parent / "nothing", "-o", page).returncode == 2
    assert gatehouse("report", bundle, "--verdict", bundle, "-o", page).returncode == 2
    assert gatehouse("report", bundle, "-o", bundle / "junit.xml" / "page.html").returncode == 2


def test_without_a_command_or_with_an_unknown_one_the_help_is_shown():
    for arguments in ((), ("nonsense",)):
        done = gatehouse(*arguments)
        assert done.returncode == 2
        assert "usage: gatehouse" in done.stderr


# --- the demonstration: the whole path, and each way to close the gate -----------------------------------


#: What failures leave is other tests' business, and takes time.
QUICK = "--tracing=off --video=off"


class Demonstration:
    """`gatehouse demo`, to its end."""

    def __init__(self, reports, *faults):
        chosen = [part for fault in faults for part in ("--break", fault)]
        done = gatehouse("demo", "--reports", reports, *chosen, timeout=280, PYTEST_ADDOPTS=QUICK)
        self.exit_code, self.output = done.returncode, done.stdout + done.stderr
        self.lines = done.stdout.splitlines()
        (self.folder,) = reports.glob("demo-*")


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A demonstration with faults in three suites, none of which touches another, and in the evidence."""
    return Demonstration(tmp_path_factory.mktemp("broken"), "smoke", "inner", "preview", "evidence")


@pytest.mark.timeout(300)
def test_the_demonstration_opens_the_gate(tmp_path):
    demonstration = Demonstration(tmp_path)

    assert demonstration.exit_code == 0, demonstration.output
    assert "gate: open" in demonstration.lines
    assert (demonstration.folder / "index.html").is_file()


@pytest.mark.timeout(300)
def test_a_leak_closes_the_gate_of_the_demonstration(tmp_path):
    demonstration = Demonstration(tmp_path, "task")

    assert demonstration.exit_code == 11, demonstration.output
    assert demonstration.lines[-1].startswith("first actionable error: ")
    assert "persistentvolumeclaims" in demonstration.lines[-1]
    assert (demonstration.folder / "index.html").is_file()


@pytest.mark.timeout(300)
def test_of_all_faults_of_the_demonstration_forged_evidence_is_told_first(broken):
    assert broken.exit_code == 13, broken.output
    assert broken.lines[-1].startswith("first actionable error: ")
    assert "junit.xml" in broken.lines[-1]
    assert (broken.folder / "index.html").is_file()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ("smoke", "code-server"),
        ("inner", "cart"),
        ("preview", "test_an_owner_signs_in_and_sees_their_name[chromium]"),
    ],
)
def test_each_fault_of_the_demonstration_closes_the_gate_by_itself(broken, tmp_path, suite, words):
    bundle = shutil.copytree(broken.folder / suite, tmp_path / suite)
    junit = bundle / "junit.xml"
    junit.write_text(junit.read_text().replace(' forged="yes"', ""))  # what the fault `evidence` has done
    policy = yaml.safe_load((ROOT / "fixtures" / "policy.yaml").read_text())
    policy["suites"] = {suite: policy["suites"][suite]}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    subject = json.loads((bundle / "manifest.json").read_text())["subject"]
    asked = ("--repo", subject["repository"], "--pr", subject["pull_request"], "--commit", subject["commit"])

    done = gatehouse("gate", bundle, "--policy", tmp_path / "policy.yaml", *asked, cwd=tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert words in json.loads((tmp_path / "verdict.json").read_text())["reasons"][0]["message"]


def test_an_unknown_fault_is_refused_before_anything_starts(tmp_path):
    done = gatehouse("demo", "--break", "everything", "--reports", tmp_path)
    assert done.returncode == 2
    assert "one of: smoke, inner, preview, task, evidence" in done.stderr
