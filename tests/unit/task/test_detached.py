import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import EnvironmentProblem, NotFound
from gatehouse.task.detached import run_detached
from gatehouse.task.shell import Answer
from tests.support.clock import FakeClock
from tests.support.local_shell import LocalShell


def run(shell, folder, command, *, seconds=30, environment=None):
    argv = ["sh", "-c", command] if isinstance(command, str) else command
    return run_detached(shell, str(folder), argv, environment or {}, Deadline.after(seconds))


def test_streams_are_kept_apart_and_the_exit_code_is_the_commands_own(tmp_path):
    result = run(LocalShell(), tmp_path, "echo out; echo err >&2; exit 42")

    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 42)
    assert result.exit_code_source == "kubernetes exec status"
    assert (result.truncated, result.timed_out, result.channel) == (False, False, "exec")


def test_it_runs_in_the_checkout_with_its_environment_and_without_input(tmp_path):
    result = run(
        LocalShell(), tmp_path, 'pwd; echo "$GREETING"; cat', environment={"GREETING": "it's $HOME; `x`"}
    )

    assert result.stdout.decode().splitlines() == [str(tmp_path), "it's $HOME; `x`"]


@pytest.mark.parametrize("argv", [["printf", "%s", "a b'c\"$d\n"], ["printf", "%s", "ü\t*"]])
def test_arguments_arrive_as_they_are(tmp_path, argv):
    assert run(LocalShell(), tmp_path, argv).stdout == argv[2].encode()


def test_bytes_that_are_no_text_arrive_as_they_are(tmp_path):
    (tmp_path / "data").write_bytes(bytes(range(256)))

    assert run(LocalShell(), tmp_path, "cat data").stdout == bytes(range(256))


def test_of_a_large_output_beginning_end_and_size_are_kept(tmp_path):
    result = run(LocalShell(), tmp_path, "seq 1 200000; echo the end")

    assert result.truncated
    assert result.stdout_bytes == 1288895 + len("the end\n")
    assert len(result.stdout) == LocalShell.limit
    assert result.stdout.startswith(b"1\n2\n") and result.stdout.endswith(b"200000\nthe end\n")
    assert result.exit_code == 0


def test_a_command_that_was_killed_has_the_shells_code_for_the_signal(tmp_path):
    assert run(LocalShell(), tmp_path, "kill -KILL $$").exit_code == 137


def test_a_stream_that_is_cut_is_asked_again_and_the_command_runs_once(tmp_path):
    shell = LocalShell(cut=2)
    result = run_detached(
        shell,
        str(tmp_path),
        ["sh", "-c", "echo ran >>times; echo out; exit 3"],
        {},
        Deadline.after(30, FakeClock()),
    )

    assert (result.exit_code, result.stdout) == (3, b"out\n")
    assert "after the stream was cut" in result.exit_code_source
    assert (tmp_path / "times").read_text() == "ran\n"


def test_a_command_that_outlives_its_budget_is_ended_with_all_its_children(tmp_path):
    result = run(LocalShell(), tmp_path, "echo begun; sleep 300 & echo $! >child; sleep 300", seconds=1)

    assert (result.exit_code, result.timed_out, result.stdout) == (None, True, b"begun\n")
    assert result.exit_code_source == "unknown: the command did not end within 1 s, and was ended"
    child = (tmp_path / "child").read_text().strip()
    assert run(LocalShell(), tmp_path, f"kill -0 {child} 2>/dev/null || echo gone").stdout == b"gone\n"


def test_a_command_whose_session_is_killed_from_outside_has_no_exit_code(tmp_path):
    result = run(LocalShell(), tmp_path, "kill -KILL 0")

    assert result.exit_code is None
    assert "vanished" in result.exit_code_source


def test_a_pod_that_goes_is_named_and_the_exit_code_unknown(tmp_path):
    result = run(
        LocalShell(cut=1, gone="the pod ws/dev was ended (Evicted: low on memory)"), tmp_path, "true"
    )

    assert (result.exit_code, result.ok) == (None, False)
    assert result.exit_code_source == "unknown: the pod ws/dev was ended (Evicted: low on memory)"


def test_two_answers_about_the_exit_code_that_differ_are_none(tmp_path):
    class Lying(LocalShell):
        def ask(self, script, deadline):
            answer = super().ask(script, deadline)
            return Answer(answer.stdout, answer.stderr, 0, answer.source)

    result = run(Lying(), tmp_path, "exit 5")

    assert result.exit_code is None
    assert "file says 5, kubernetes exec status says 0" in result.exit_code_source


def test_without_a_status_the_file_in_the_workspace_tells_the_exit_code(tmp_path):
    class Silent(LocalShell):
        def ask(self, script, deadline):
            answer = super().ask(script, deadline)
            return Answer(answer.stdout, answer.stderr, None, "unknown: the stream ended without a status")

    result = run(Silent(), tmp_path, "exit 5")

    assert result.exit_code == 5
    assert result.exit_code_source.startswith("a file in the workspace")


def test_a_refusal_of_the_first_question_is_raised(tmp_path):
    class Refusing(LocalShell):
        def ask(self, script, deadline):
            raise NotFound("there is no such pod")

    with pytest.raises(NotFound):
        run(Refusing(), tmp_path, "true")


def test_a_folder_for_the_command_that_cannot_be_made_is_an_environment_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("gatehouse.task.programs.run_folder", lambda nonce: f"{tmp_path}/missing/{nonce}")

    with pytest.raises(EnvironmentProblem, match="could not be started"):
        run(LocalShell(), tmp_path, "true")


def test_a_folder_that_is_not_there_is_said_by_the_command_itself(tmp_path):
    result = run(LocalShell(), tmp_path / "missing", "true")

    assert result.exit_code == 96
    assert b"missing" in result.stderr
