import subprocess

import pytest

from gatehouse.coder.commands import parsed, run_in_workspace, wrapped
from gatehouse.core.errors import UnexpectedAnswer, Unreachable

NONCE = "0123456789abcdef"


def in_a_shell(script):
    """What a shell prints that is given the command as an agent gives it."""
    done = subprocess.run(["sh", "-c", wrapped(script, NONCE)], capture_output=True, text=True, check=True)
    return parsed(done.stdout.replace("\n", "\r\n"), NONCE)


@pytest.mark.parametrize(
    ("script", "output", "code"),
    [
        ("echo one; echo two", "one\ntwo\n", 0),
        ("exit 3", "", 3),
        ("printf 'no newline'", "no newline", 0),
        ("cat", "", 0),
        ("""echo "it's" 'q"q' $((1+1))""", "it's q\"q 2\n", 0),
        ("echo one # a comment", "one\n", 0),
        ("set -e; false; echo not reached", "", 1),
    ],
    ids=["lines", "exit", "no newline", "no input", "quotes", "comment", "set -e"],
)
def test_a_script_has_its_output_and_exit_code(script, output, code):
    printed = in_a_shell(script)

    assert (printed.output, printed.exit_code) == (output, code)


def test_colours_and_the_command_itself_do_not_disturb():
    shown = f"\x1b[32m$ {wrapped('true', NONCE)}\x1b[0m\r\n\x1b[1mdone\x1b[0m\r\n\r\n{NONCE}:0 {NONCE}.\r\n"

    printed = parsed(shown, NONCE)

    assert printed.ok
    assert printed.last_line == "done"


def test_the_mark_is_not_in_the_command_that_a_terminal_may_show():
    assert NONCE not in wrapped("true", NONCE)


def test_a_mark_without_an_exit_code_is_an_unexpected_answer():
    with pytest.raises(UnexpectedAnswer, match="shows no exit code"):
        parsed(f"{NONCE[:8]} \r\n{NONCE}.", NONCE)


def test_a_terminal_that_is_cut_is_no_result():
    class Cut:
        def __enter__(self):
            return self

        def __exit__(self, *_error):
            return None

        def read_until(self, *_arguments):
            raise Unreachable("the terminal ended")

    class Coder:
        def open_terminal(self, *_arguments, **_more):
            return Cut()

    with pytest.raises(Unreachable):
        run_in_workspace(Coder(), "agent", "true")
