import pytest

from gatehouse.core.errors import ProductFailure, SettingsError
from gatehouse.core.task_settings import TaskSettings
from gatehouse.task.definition import load_definition
from gatehouse.task.result_file import read_result, require_consistent

DEFAULTS = TaskSettings(template="task", profile="code", budgets={"command": 60})


def written(tmp_path, text):
    path = tmp_path / "lint.task.yaml"
    path.write_text(text)
    return path


def test_what_the_file_does_not_set_is_as_in_the_target(tmp_path):
    task = load_definition(written(tmp_path, "command: make lint\nref: main\n"), DEFAULTS)

    assert (task.template, task.profile, task.ref, task.budgets.command) == ("task", "code", "main", 60)
    assert task.argv == ["sh", "-c", "make lint"]


def test_a_list_is_a_program_and_its_arguments(tmp_path):
    task = load_definition(written(tmp_path, 'template: t\ncommand: [printf, "%s", "a b"]\n'))

    assert task.argv == ["printf", "%s", "a b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("comand: x", "unknown key; did you mean 'command'?"),
        ("ttl_seconds: 70", "must be more than all budgets together"),
        ("clone: full", "clone: full needs a repository"),
        ("secrets: [GH-TOKEN]", "'GH-TOKEN' is not the name of an environment variable"),
        ("{environment: {A: x}, secrets: [A]}", "both in environment and in secrets"),
        ("evidence: [{path: ../x}]", "not a path inside the checkout"),
        ("evidence: [{path: /etc/passwd}]", "not a path inside the checkout"),
        ("profile: ../code", "is not a profile"),
        ("commit: main", "is not a commit"),
        ("channel: ssh", "'script', 'exec' or 'terminal'"),
        ("budgets: {command: 0}", "greater than 0"),
        ("- a", "expected a mapping"),
        ("command: [", "not valid YAML"),
    ],
)
def test_a_definition_that_cannot_be_used_is_refused_with_its_line(tmp_path, text, words):
    with pytest.raises(SettingsError) as caught:
        load_definition(written(tmp_path, text), DEFAULTS)
    assert "lint.task.yaml:1" in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_definition(tmp_path / "no.task.yaml", DEFAULTS)


def test_a_template_must_be_named_somewhere(tmp_path):
    with pytest.raises(SettingsError, match="template: is required"):
        load_definition(written(tmp_path, "command: x"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expecting value"),
        (b"[]", "valid dictionary"),
        (b'{"summary": "", "tests": []}', "summary"),
        (b'{"summary": "x"}', "tests: field required"),
        (b'{"summary": "x", "tests": [{"command": "a", "result": "green"}]}', "tests.0.result"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_a_result_that_is_not_as_agreed_names_what_is_wrong(content, words):
    with pytest.raises(ProductFailure) as caught:
        read_result(content, "result.json")
    assert words in caught.value.seen.lower()


def test_a_result_that_contradicts_the_exit_code_is_red():
    result = read_result(b'{"summary": "x", "tests": [{"command": "make test", "result": "failed"}]}', "r")

    with pytest.raises(ProductFailure, match="says itself that a test failed"):
        require_consistent(result, succeeded=True, opens_pull_request=False, path="r")
    require_consistent(result, succeeded=False, opens_pull_request=True, path="r")
