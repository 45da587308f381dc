"""What `gatehouse job` refuses before anything is made, and how it ends."""

import pytest

from gatehouse import cli
from gatehouse.core.errors import InfrastructureError
from gatehouse.core.settings import Target
from gatehouse.job import command
from gatehouse.job.collect import Collected

SETTINGS = """
version: 1
targets:
  production:
    coder: {url: https://coder.example.com}
    kubernetes: {context: production}
"""

CODER = {"coder": {"url": "https://coder.example.com"}}


class Cluster:
    """A cluster in which everything is allowed."""

    server = "https://cluster.example.com"

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def may(self, *_arguments, **_named):
        return True


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in a folder with settings; what its Job does is the test's choice."""
    monkeypatch.chdir(tmp_path)
    for name in ("GATEHOUSE_CONFIG", "GATEHOUSE_TARGET", "GATEHOUSE_PR", "GATEHOUSE_COMMIT", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "CODER_URL",
        "GITHUB_REPOSITORY",
        "GITHUB_REF",
        "GITHUB_EVENT_PATH",
        "KUBERNETES_SERVICE_HOST",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cli, "wake_main_thread_on_signals", lambda: None)
    monkeypatch.setattr(cli.signal, "signal", lambda *_arguments: None)
    (tmp_path / "gatehouse.yaml").write_text(SETTINGS)
    orders = []

    def run(*arguments, ends=Collected, with_cluster=True):
        class Run:
            def __init__(self, _cluster, order, _ledger, _run_id, **_how):
                orders.append(order)

            def run(self, _files, folder):
                if isinstance(ends, BaseException):
                    raise ends
                return Collected(0, folder) if ends is Collected else ends

        if with_cluster:
            monkeypatch.setattr(command, "connect", lambda _settings: Cluster())
        monkeypatch.setattr(command, "JobRun", Run)
        code = cli.main(["job", "-m", "smoke", "--namespace", "n", "--image", "i", *arguments])
        return code, orders

    return run


def test_the_order_is_what_the_command_line_says(run):
    code, (order,) = run("--secret", "tokens", "--timeout", "60", "--", "-n", "2", "-k", "not editor")

    assert code == 0
    assert (order.namespace, order.image, order.secret, order.seconds) == ("n", "i", "tokens", 60)
    assert order.arguments == ("-m", "smoke", "-n", "2", "-k", "not editor")
    assert order.variables == {"GATEHOUSE_TARGET": "production"}


def test_no_two_jobs_have_the_same_name_and_every_name_may_be_one(run):
    orders = [run("--evidence", f"out-{number}")[1][-1] for number in range(20)]

    assert len({order.name for order in orders}) == 20
    assert all(len(order.name) <= 63 and order.name == order.name.lower() for order in orders)


@pytest.mark.parametrize(
    ("ends", "code", "words"),
    [
        (Collected(0, None), 0, ""),
        (Collected(1, None), 1, ""),
        (Collected(5, None), 5, ""),
        (Collected(0, None, "junit.xml was changed after the run"), 10, "junit.xml was changed"),
        (Collected(1, None, "the suite left no evidence"), 1, "the suite left no evidence"),
        (InfrastructureError("the Job does not start", seen="no image"), 10, "no image"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_the_exit_code_is_the_suites_and_never_green_without_evidence(run, capsys, ends, code, words):
    assert run(ends=ends)[0] == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "-m", "task"],
        ["--", "-mtask"],
        ["--", "--gate-evidence=/elsewhere"],
        ["--", "--gate-evidence", "/elsewhere"],
        ["--", "--gate-target=staging"],
    ],
)
def test_what_the_command_says_by_itself_cannot_be_said_otherwise(run, capsys, arguments):
    code, orders = run(*arguments)

    assert (code, orders) == (2, [])
    assert "before the two dashes" in capsys.readouterr().err


def test_options_of_pytest_that_only_begin_alike_can_be_given(run):
    assert run("--", "--maxfail=1")[0] == 0


def test_evidence_of_two_runs_never_comes_into_one_folder(run, tmp_path, capsys):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "manifest.json").touch()
    (tmp_path / "file").touch()

    assert run("--evidence", "used") == (2, [])
    assert "is not empty" in capsys.readouterr().err
    assert run("--evidence", "file") == (2, [])
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("version: 1\n", "has no coder section"),
        (
            "version: 1\ntargets: {here: {coder: {url: https://coder.example.com}}}\n",
            "no cluster to run a Job in",
        ),
        (
            "version: 1\ntargets: {here: {coder: {url: https://coder.example.com}, kubernetes: {}}}\n",
            "no cluster to run a Job in",
        ),
    ],
)
def test_a_target_without_coder_or_a_cluster_cannot_be_used(run, tmp_path, capsys, settings, words):
    (tmp_path / "gatehouse.yaml").write_text(settings)

    assert run(with_cluster=False) == (2, [])
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "100000"])
def test_a_time_that_is_none_is_refused(run, seconds):
    with pytest.raises(SystemExit):
        run("--timeout", seconds)


def test_the_container_is_told_what_the_run_is_about():
    ci = {"GATEHOUSE_COMMIT": "c" * 40, "GITHUB_REF": "refs/pull/7/merge", "GITHUB_REPOSITORY": "acme/shop"}

    told = command.subject_variables(Target.model_validate(CODER), ci)

    assert told == {"GATEHOUSE_PR": "7", "GATEHOUSE_COMMIT": "c" * 40, "GITHUB_REPOSITORY": "acme/shop"}
    named = Target.model_validate({**CODER, "github": {"repository": "acme/platform"}})
    assert command.subject_variables(named, {}) == {"GITHUB_REPOSITORY": "acme/platform"}
