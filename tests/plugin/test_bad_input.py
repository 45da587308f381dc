"""Mistakes of users: one readable message with a way forward, the right exit code, never a traceback."""

import os

import pytest

GOOD = "def test_s(coder):\n    coder.me()\n"


def refused(run, *words, exit_code=4):
    assert run.exit_code == exit_code, run.output
    assert "Traceback" not in run.output
    assert "INTERNALERROR" not in run.output
    for word in words:
        assert word in run.output, run.output
    assert not (run.folder / "manifest.json").exists() or run.manifest["exit_status"] != 0
    return run


def test_an_unknown_target(suite):
    refused(
        suite(GOOD, "--gate-target", "prod"), "there is no target 'prod'", "environment, embedded", "next:"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targets:\n  dev:\n    codr: {}\n", ["gatehouse.yaml:3", "did you mean 'coder'"]),
        ("targets:\n  dev:\n    coder: {url: 7}\n", ["gatehouse.yaml:3", "targets.dev.coder.url"]),
        (
            "targets:\n  dev:\n    coder: {url: https://x, token: abc}\n",
            ["gatehouse.yaml:3", "a literal secret"],
        ),
        ("targets: [\n", ["not valid YAML"]),
    ],
    ids=["unknown key", "wrong type", "literal secret", "not YAML"],
)
def test_a_faulty_configuration(suite, text, words):
    refused(suite(GOOD, files={"gatehouse.yaml": text}), *words)


def test_a_target_without_the_section_that_the_suite_needs(suite):
    run = suite(
        GOOD,
        "--gate-target",
        "dev",
        files={"gatehouse.yaml": "targets: {dev: {embedded: false}}\n"},
        suite_name="task",
    )

    refused(run, "cannot be used for the suite task", "no task section")


def test_an_unreachable_host_is_infrastructure_and_says_which(suite, monkeypatch):
    monkeypatch.setattr("gatehouse.coder.patience.READ_BUDGET", 0)
    run = suite(
        GOOD,
        files={"conftest.py": "import gatehouse.coder.patience as p\np.READ_BUDGET = 0\n"},
    )

    assert run.exit_code == 1
    assert run.digest["first_error"]["failure_class"] == "infrastructure"
    assert (
        "nothing listens at 127.0.0.1, port 9: the connection was refused"
        in run.digest["first_error"]["summary"]
    )
    assert "CODER_URL" in run.digest["first_error"]["next_step"]


def test_a_token_that_is_not_there(suite, monkeypatch):
    monkeypatch.delenv("CODER_SESSION_TOKEN")
    run = suite(GOOD)

    assert run.digest["first_error"]["failure_class"] == "environment"
    assert "CODER_SESSION_TOKEN is not set" in run.digest["first_error"]["summary"]


def test_a_reports_folder_that_cannot_be_written(suite, pytester):
    (pytester.path / "reports").write_text("a file")

    refused(suite(GOOD), "evidence cannot be written", "--gate-evidence")


def test_an_evidence_folder_that_is_not_empty(suite, pytester):
    (pytester.path / "old").mkdir()
    (pytester.path / "old" / "junit.xml").write_text("<testsuites/>")

    refused(suite(GOOD, "--gate-evidence", "old"), "is not empty")


@pytest.mark.parametrize("after", [2, 5, 40], ids=["while collecting", "in a test", "at the end"])
def test_a_disk_that_is_full_ends_the_run_with_one_message_and_no_manifest(suite, after):
    """The record fails to be written after so many events, and everything else with it."""
    conftest = f"""
import errno, pathlib
from gatehouse.evidence import manifest, plugin
from gatehouse.evidence.record import RunRecord

append, written = RunRecord.append, []

def full(*arguments, **named):
    raise OSError(errno.ENOSPC, "No space left on device")

def counting(self, event, **data):
    written.append(event)
    return append(self, event, **data) if len(written) <= {after} and event != "run_finished" else full()

RunRecord.append = counting
"""
    run = suite("def test_a():\n    pass\n\ndef test_b():\n    pass\n", files={"conftest.py": conftest})

    assert run.exit_code == 3, run.output
    assert "can no longer be written: No space left on device" in run.output
    assert "next: free space there" in run.stdout.splitlines()[-1]
    assert "INTERNALERROR" not in run.output
    assert not (run.folder / "manifest.json").exists()


@pytest.mark.parametrize("number", ["0", "-1", "seven"])
def test_what_is_no_number_of_a_pull_request(suite, number):
    refused(suite(GOOD, f"--gate-pr={number}"), f"'{number}' is not the number of a pull request")


def test_a_cluster_that_is_configured_and_cannot_be_used_is_no_skip(suite, pytester):
    (pytester.path / "kubeconfig").write_text("root:x:0:0:root:/root:/bin/bash\n")
    settings = "targets: {dev: {coder: {url: 'http://127.0.0.1:9'}, kubernetes: {kubeconfig: kubeconfig}}}\n"
    run = suite("def test_s(cluster):\n    pass\n", files={"gatehouse.yaml": settings})

    assert run.exit_code == 1
    assert run.digest["first_error"]["failure_class"] == "environment"
    assert "no usable Kubernetes configuration" in run.digest["first_error"]["summary"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["in one process", "with two workers"])
@pytest.mark.parametrize("made", [True, False], ids=["made before", "not there yet"])
def test_an_evidence_folder_elsewhere_is_not_taken_for_the_root_of_the_tests(suite, tmp_path, made, workers):
    folder = tmp_path / "elsewhere"
    if made:
        folder.mkdir()

    run = suite("def test_s():\n    pass\n", "--gate-evidence", str(folder), *workers)

    assert run.exit_code == 0
    assert f"evidence: {folder}" in run.output
    assert "1 passed" in (folder / "digest.md").read_text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_reports_folder_without_permission(suite, pytester):
    (pytester.path / "reports").mkdir(mode=0o500)

    refused(suite(GOOD), "evidence cannot be written", "Permission denied")


@pytest.mark.parametrize("value", ["seven", "-", "7.5"])
def test_a_pull_request_that_is_no_number(suite, value):
    refused(suite(GOOD, "--gate-pr", value), "--gate-pr")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("www-pr-7.example.com", "expected an address such as"),
        ("https://tester:guess@www-pr-7.example.com", "must not hold a user name or a password"),
        ("http://[www", "Invalid IPv6 URL"),
    ],
)
def test_a_preview_url_that_is_no_address(suite, url, words):
    refused(suite(GOOD, "--gate-preview-url", url), "--gate-preview-url", words)


def test_a_pull_request_from_the_environment_that_is_no_number(suite, monkeypatch):
    monkeypatch.setenv("GATEHOUSE_PR", "seven")

    refused(suite(GOOD), "GATEHOUSE_PR is 'seven'")


def test_two_runs_at_once_in_one_checkout_do_not_disturb_each_other(suite, pytester):
    import subprocess
    import sys

    suite("def test_good():\n    pass\n", "--collect-only")
    command = [sys.executable, "-m", "pytest", "-m", "smoke", "-q"]
    running = [subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(timeout=60) for process in running] == [0, 0]
    folders = [
        path for path in (pytester.path / "reports").iterdir() if path.is_dir() and not path.is_symlink()
    ]
    assert len(folders) == 2
    for folder in folders:
        assert (folder / "manifest.json").exists()
