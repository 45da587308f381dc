"""How a command ended is told exactly, whatever it prints and however it ends."""

import pytest

from gatehouse.core.errors import ProductFailure
from gatehouse.task.report import command_failure

pytestmark = pytest.mark.xdist_group("task commands")


@pytest.fixture
def run(shared_launcher, task):
    def run(command, **options):
        return shared_launcher.run(task, ["sh", "-c", command], **options)

    return run


def test_streams_are_apart_and_the_exit_code_is_the_commands_own(run):
    result = run("echo it broke >&2; echo said; exit 42")

    assert (result.stdout, result.stderr, result.exit_code) == (b"said\n", b"it broke\n", 42)
    assert result.exit_code_source
    assert not result.truncated


def test_a_process_that_is_killed_has_the_code_of_its_signal(run):
    assert run("kill -KILL $$").exit_code == 128 + 9


def test_any_bytes_and_any_script_arrive_as_they_are(run):
    octets = "".join(f"\\{number:03o}" for number in range(256))
    result = run(f"printf '{octets}'; printf 'Ünïcödé, 日本語, 🚪\\n' >&2")

    assert result.stdout == bytes(range(256))
    assert result.stderr.decode() == "Ünïcödé, 日本語, 🚪\n"


def test_of_a_hundred_megabytes_beginning_end_and_size_are_kept(run):
    result = run("echo begin; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo end")

    assert result.exit_code == 0
    assert result.truncated
    assert result.stdout_bytes == len("begin\n") + 100_000_000 + len("\nend\n")
    assert result.stdout.startswith(b"begin\nx") and result.stdout.endswith(b"x\nend\n")


def test_a_command_that_outlives_its_budget_is_ended_with_its_children(run):
    result = run("echo begun; sleep 600 & echo $! >/tmp/task-child; sleep 600", timeout=2)

    assert (result.timed_out, result.exit_code, result.stdout) == (True, None, b"begun\n")
    assert isinstance(command_failure(result, ""), ProductFailure)
    assert run("kill -0 $(cat /tmp/task-child) 2>/dev/null || echo gone").stdout == b"gone\n"


def test_a_command_runs_once_in_the_checkout_with_its_environment(shared_launcher, task, run):
    argv = ["sh", "-c", 'git rev-parse --show-toplevel >&2; printf %s "$GREETING"']
    result = shared_launcher.run(task, argv, environment={"GREETING": "it's $HOME"})

    assert result.stdout == b"it's $HOME"
    assert result.stderr.decode().strip() == run("pwd").stdout.decode().strip()


@pytest.mark.parametrize(
    ("made", "path", "words"),
    [
        ("true", "nothing.txt", "there is no such file"),
        ("ln -s /etc/passwd out", "out", "leads out of the checkout"),
        ("ln -s nowhere dangling", "dangling", "symbolic link to nothing"),
        ("mkdir -p folder", "folder", "is a folder"),
        ("head -c 5000000 /dev/zero > large", "large", "at most 4194304 are taken"),
        ("mkfifo pipe", "pipe", "not a plain file"),
    ],
)
def test_evidence_that_is_not_a_plain_file_of_the_checkout_is_refused(
    shared_launcher, task, run, made, path, words
):
    assert run(made).ok

    with pytest.raises(ProductFailure, match=words):
        shared_launcher.pull(task, path)
