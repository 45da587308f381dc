from pathlib import Path

import pytest

from gatehouse.inner.checks.environment_skips import environment_skips, what_is_missing
from gatehouse.inner.model import Blame, Check, ChildOutcome, ChildTest, Package, Phase


@pytest.mark.parametrize(
    ("reason", "missing"),
    [
        ("docker not available", "docker"),
        ("Docker is not running", "Docker"),
        ("Skipped: could not import 'numpy': No module named 'numpy'", "numpy"),
        ("requires a running Postgres", "Postgres"),
        ("Requires redis", "redis"),
        ("needs network access", "network access"),
        ("no network", "network"),
        ("no internet connection", "internet"),
        ("DATABASE_URL not set", "DATABASE_URL"),
        ("DATABASE_URL is not set", "DATABASE_URL"),
        ("set E2E_TOKEN to run this test", "E2E_TOKEN"),
        ("AWS_PROFILE is required", "AWS_PROFILE"),
        ("ffmpeg is not installed", "ffmpeg"),
        ("kubectl was not found", "kubectl"),
        ("protoc not on PATH", "protoc"),
        ("redis unavailable", "redis"),
        ("cannot connect to the database", "database"),
        ("skipping: docker isn't available", "docker"),
        ("no docker daemon", "docker"),
        ("no cluster", "cluster"),
        ("missing credentials", "credentials"),
        ("dial tcp 127.0.0.1:5432: connect: connection refused", "connection refused"),
    ],
)
def test_a_reason_that_the_environment_causes_names_what_is_missing(reason, missing):
    assert what_is_missing(reason) == missing


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "flaky, see #12",
        "not implemented yet",
        "skipping test in short mode",
        "requires Windows",
        "only on macOS",
        "fork is not available on Windows",
        "requires Python 3.13",
        "requires python >= 3.13",
        "requires numpy>=2",
        "need --runslow option to run",
        "requires --integration",
        "slow",
        "got empty parameter set for (x)",
        "to be rewritten",
        "unconditional skip",
        "not supported on this platform",
    ],
)
def test_other_reasons_stay_skips(reason):
    assert what_is_missing(reason) == ""


def test_only_skipped_tests_become_findings_with_their_place():
    check = Check(Package(Path("/c"), "p", "p/go.mod", "go"), "go-test", Phase.UNIT, Blame.TEST)
    tests = [
        ChildTest("a", ChildOutcome.SKIPPED, message="no network", path="p/a_test.go", line=3),
        ChildTest("b", ChildOutcome.SKIPPED, message="slow"),
        ChildTest("c", ChildOutcome.FAILED, message="no network"),
    ]

    assert [str(finding) for finding in environment_skips(check, tests)] == [
        "p/a_test.go:3: environment-skip: a was skipped because the environment lacks network: no network"
    ]
