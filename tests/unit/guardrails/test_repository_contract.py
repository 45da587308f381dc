import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.guardrails import json_with_comments
from gatehouse.guardrails.rules import repository_contract
from tests.support.guard_rails import case, diff, told

PATH = ".devcontainer/coder/devcontainer.json"
SAFE = '{\n  // what workspaces are built from\n  "image": "example.com/dev:1", /* pinned */\n}\n'


def contract(text=SAFE, *diffs, root="/checkout", profile="code", files=None, **settings):
    there = {PATH: text, "AGENTS.md": "# What you may do\n", **(files or {})}
    return told(repository_contract, case(*diffs, files=there, root=root, profile=profile, **settings))


def test_a_safe_development_container_and_instructions_keep_it():
    assert contract() == []


def test_nothing_is_asked_of_a_repository_that_is_not_the_platforms():
    assert contract(None, files={"AGENTS.md": None}) == []


@pytest.mark.parametrize("setting", [{"repository_contract": True}, {}])
def test_a_repository_of_the_platform_must_have_a_development_container(setting):
    sign = {} if setting else {".ameide/agent-profile": "code"}

    assert contract(None, files=sign, **setting) == [("devcontainer", PATH, 0, "everybody")]


def test_deleting_the_development_container_does_not_make_it_another_repository():
    assert contract(None, diff(PATH, SAFE, None)) == [("devcontainer", PATH, 0, "everybody")]


def test_the_contract_can_be_switched_off():
    assert contract("{", repository_contract=False) == []


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ('"privileged": true', 2),
        ('"runArgs": ["--privileged"]', 2),
        ('"runArgs": ["--cap-add=NET_ADMIN"]', 2),
        ('"runArgs": ["--cap-add", "net_admin"]', 2),
        ('"runArgs": ["--cap-add", "ALL"]', 2),
        ('"runArgs": ["--device=/dev/net/tun"]', 2),
        ('"runArgs": ["--network", "host"]', 2),
        ('"capAdd": ["NET_ADMIN"]', 2),
        ('"capAdd": ["ALL"]', 2),
        ('"mounts": ["source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind"]', 2),
        ('"mounts": [\n{"source": "/run/docker.sock", "target": "/x"}]', 3),
        ('"features": {"ghcr.io/devcontainers/features/docker-in-docker:2": {}}', 2),
        ('"features": {"ghcr.io/devcontainers/features/docker-outside-of-docker:1": {}}', 2),
        ('"dockerComposeFile": "compose.yml"', 2),
        ('"postStartCommand": "ls /dev/net/tun"', 2),
    ],
)
def test_what_is_not_safe_on_kubernetes_is_red_with_its_line(line, number):
    assert contract(f"{{\n{line}\n}}") == [("devcontainer", PATH, number, "everybody")]


def test_what_only_a_comment_says_is_no_fault():
    assert contract('{\n// never "privileged": true, never docker.sock\n"image": "x"\n}') == []


@pytest.mark.parametrize(
    ("text", "line"), [('{\n"image": }', 2), ("", 1), ('{"a": "b', 1), ("[]", 1), ("[" * 100_000, 0)]
)
def test_a_development_container_that_is_no_json_is_red(text, line):
    assert contract(text) == [("devcontainer", PATH, line, "everybody")]


def test_instructions_for_agents_must_be_there():
    assert contract(files={"AGENTS.md": None}) == [("agent-instructions", "AGENTS.md", 0, "everybody")]


def test_instructions_beside_the_checkout_are_as_good():
    assert contract(files={"AGENTS.md": None, "../AGENTS.md": "x"}) == []


def test_in_the_canonical_layout_they_must_be_beside_the_checkout():
    assert contract(root="/workspaces/code/repo") == [("agent-instructions", "../AGENTS.md", 0, "everybody")]
    assert contract(root="/workspaces/code/repo", files={"../AGENTS.md": "x"}) == []


@pytest.mark.parametrize(
    ("folder", "profile", "red"),
    [("gitops", "code", True), ("365fo", "external-executor", False), ("someone", "code", False)],
)
def test_the_folder_of_another_profile_is_red(folder, profile, red):
    found = contract(root=f"/workspaces/{folder}/repo", profile=profile, files={"../AGENTS.md": "x"})

    assert bool(found) is red


@pytest.mark.parametrize("path", ["Dockerfile", "scripts/setup.sh", ".devcontainer/coder/devcontainer.json"])
def test_a_dependency_on_telepresence_is_red_where_it_is_added(path):
    added = diff(path, "a\n", "a\ninstall Telepresence\n")

    assert ("forbidden-dependency", path, 2, "everybody") in contract(SAFE, added)


def test_speaking_of_telepresence_is_no_dependency():
    assert contract(SAFE, diff("docs/why-no-telepresence.md", "", "telepresence\n")) == []


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_any_json_is_read_as_it_is(value, indented):
    assert json_with_comments.loads(json.dumps(value, indent=2 if indented else None)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "// no comment", /* one */ "b": [1, 2,], // another\n}', {"a": "// no comment", "b": [1, 2]}),
        ('["a,]", "\\"//", ]', ["a,]", '"//']),
        ("\ufeff{}", {}),
        ("/* a\n b */ 1", 1),
    ],
)
def test_comments_and_last_commas_are_passed_over(text, value):
    assert json_with_comments.loads(text) == value
