"""What a red check says to who reads it."""

import pytest

from gatehouse.inner.items import failure, not_installed
from gatehouse.inner.model import Blame, Check, CheckResult, Finding, Outcome, Package, Phase


def red(tmp_path, message, outcome=Outcome.FAILED, **more):
    package = Package(tmp_path, "svc", "svc/go.mod", "go")
    check = Check(
        package, "go-test", Phase.UNIT, Blame.TEST, ("go", "test", "./..."), how_to_install="install Go"
    )
    return CheckResult(check, outcome, findings=(Finding("svc/a_test.go", message, 3),), **more)


@pytest.mark.parametrize(
    "message",
    [
        "dial tcp: lookup db.example: no such host",
        "getaddrinfo EAI_AGAIN registry.example",
        "NameResolutionError: Failed to resolve 'frontend-proxy'",
        "java.net.UnknownHostException: db",
        "connect: network is unreachable",
    ],
)
def test_a_test_that_looks_for_another_machine_is_told_that_there_is_no_network(tmp_path, message):
    error = str(failure(red(tmp_path, message)))

    assert "next: checks have no network but this machine's own" in error
    assert "inner.cluster_names" in error


def test_other_failures_say_nothing_of_networks(tmp_path):
    assert "network" not in str(failure(red(tmp_path, "1 != 2")))


def test_what_is_not_installed_is_said_with_the_command_that_missed_it_and_what_it_found(tmp_path):
    error = str(not_installed(red(tmp_path, "needs x", Outcome.NOT_INSTALLED, reason="x is not installed")))

    assert error.splitlines() == [
        "svc/go.mod::go-test: x is not installed",
        "  seen: svc/a_test.go:3: needs x",
        "  where: svc: go test ./...",
        "  next: install Go; or silence the check with a reason in gatehouse.yaml",
    ]
