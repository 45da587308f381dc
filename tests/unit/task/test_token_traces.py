"""Whether tokens stand in a text, asked by the program that runs in workspaces, here in a shell of this machine."""

import base64
import subprocess

import pytest

from gatehouse.core.deadline import SYSTEM_CLOCK, Deadline
from gatehouse.core.errors import InfrastructureError
from gatehouse.task import token_traces
from gatehouse.task.shell import Answer

TOKEN = "0b4f7f6e-aaaa-bbbb-cccc-444444444444"


class LocalShell:
    """`sh` on this machine, with the variables of a workspace."""

    name = "exec"
    limit = 1_000_000

    def __init__(self, **variables):
        self._variables = variables
        self.asked = []

    def ask(self, script, deadline):
        self.asked.append(script)
        done = subprocess.run(
            ["sh", "-c", script],
            env={"PATH": "/usr/bin:/bin", **self._variables},
            capture_output=True,
            check=False,
        )
        return Answer(done.stdout, done.stderr, done.returncode, "sh")

    def why_gone(self):
        return ""


def look(text, *names, **variables):
    return token_traces.look(LocalShell(**variables), text, names, Deadline.after(20, SYSTEM_CLOCK))


@pytest.mark.parametrize("before", ["", "x", "xx", "x-access-token:"])
@pytest.mark.parametrize("after", ["", "\n", "!!"])
def test_a_value_is_found_within_the_base64_of_anything(before, after):
    text = base64.b64encode(f"{before}{TOKEN}{after}".encode())

    assert look(b"Authorization: Basic " + text, GH_TOKEN=TOKEN).held == ("GH_TOKEN",)


@pytest.mark.parametrize(
    "text", [f"a {TOKEN} b".encode(), b"\xff\x00\n" + TOKEN.encode(), TOKEN.encode() * 3]
)
def test_a_value_is_found_in_any_text(text):
    assert look(text, GH_TOKEN=TOKEN).held == ("GH_TOKEN",)


@pytest.mark.parametrize("text", [b"", b"nothing here\n", TOKEN[:-1].encode(), TOKEN.upper().encode()])
def test_what_is_not_there_is_not_found_and_was_looked_for(text):
    found = look(text, GH_TOKEN=TOKEN)

    assert (found.held, "GH_TOKEN" in found.looked_for) == ((), True)


def test_of_a_value_of_several_lines_the_longest_is_looked_for():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nEND\n-----END KEY-----"

    assert look(b"-----BEGIN KEY-----", "DEPLOY", DEPLOY=key).held == ()
    assert look(b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "DEPLOY", DEPLOY=key).held == ("DEPLOY",)


def test_values_that_the_shell_could_take_for_its_own_are_looked_for_as_they_are():
    odd = """a'b"c$HOME`id`\\n*END"""

    assert look(odd.encode(), "ODD", ODD=odd).held == ("ODD",)
    assert look(b"abc", "ODD", ODD=odd).held == ()


def test_a_text_that_does_not_arrive_whole_is_no_pass(monkeypatch):
    monkeypatch.setattr(
        token_traces, "_search", lambda folder, size, names: REAL_SEARCH(folder, size + 1, names)
    )

    with pytest.raises(InfrastructureError, match="looking for the values of tokens") as raised:
        look(b"text", GH_TOKEN=TOKEN)
    assert "did not arrive whole" in raised.value.seen


REAL_SEARCH = token_traces._search


def test_no_question_holds_a_value_and_nothing_stays_in_the_workspace():
    shell = LocalShell(GH_TOKEN=TOKEN)
    token_traces.look(shell, b"text", [], Deadline.after(20, SYSTEM_CLOCK))

    assert not any(TOKEN in script for script in shell.asked)
    assert "rm -rf" in shell.asked[-1]


def test_a_text_that_is_too_long_to_be_sent_is_unverified(monkeypatch):
    monkeypatch.setitem(token_traces.LONGEST, "exec", 10)
    found = token_traces.judge({"the agent's log": look(b"text", GH_TOKEN=TOKEN)})

    assert found.wrong == ()
    assert found.unverified == ("the agent's log is too long to be searched inside the workspace",)


def test_a_secret_of_the_tasks_own_that_is_not_there_to_look_for_is_unverified():
    found = token_traces.judge({"a text": look(b"text", "DEPLOY", GH_TOKEN=TOKEN)}, ["DEPLOY"])

    assert found.wrong == ()
    assert found.unverified == ("DEPLOY (task.secrets) is not in the environment of the workspace's shell",)


def test_the_token_of_gits_credential_helper_is_looked_for_where_no_variable_has_one(tmp_path):
    git = ["git", "-C", str(tmp_path)]
    helper = f"!echo password={TOKEN}; echo username=bot; :"
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "https://code.example.com/acme/shop.git"], check=True)
    subprocess.run([*git, "config", "credential.helper", helper], check=True)
    where = {"directory": str(tmp_path)}
    end = Deadline.after(20, SYSTEM_CLOCK)

    assert token_traces.look(LocalShell(), TOKEN.encode(), [], end, **where).held == (
        "git's credential helper",
    )
    with_variable = token_traces.look(LocalShell(GH_TOKEN="another-token"), TOKEN.encode(), [], end, **where)
    assert with_variable.held == ()
