import pytest

from gatehouse.guardrails.rules import file_kinds, paths, protected_files, submodules, unread
from tests.support.guard_rails import case, diff, moved, told


@pytest.mark.parametrize(
    ("profile", "path", "rule"),
    [
        ("code", "gitops/apps/shop.yaml", "forbidden-path"),
        ("code", "promotions/prod.yaml", "forbidden-path"),
        ("code", "gitops/new\nline", "forbidden-path"),
        ("code", "services/shop/gitops.py", None),
        ("code", "services/gitops/main.go", None),
        ("code", "docs/page.md", None),
        ("gitops", "services/shop/main.go", "forbidden-path"),
        ("gitops", "packages/cart/index.js", "forbidden-path"),
        ("gitops", "primitives/x.go", "forbidden-path"),
        ("gitops", "environments/dev/values.yaml", None),
        ("sre", "anything", "not-allowed-path"),
        ("external-executor", "anything", "not-allowed-path"),
    ],
)
def test_each_profile_has_its_own_paths(profile, path, rule):
    expected = [(rule, path, 0, "profiles")] if rule else []

    assert told(paths, case(diff(path, "1", "2"), profile=profile)) == expected


def test_both_ends_of_a_rename_are_judged():
    out = moved("gitops/a.yaml", "services/a.yaml", "1", "1")
    into = moved("services/b.yaml", "gitops/b.yaml", "1", "1")

    assert [path for _, path, *_ in told(paths, case(*out, *into))] == ["gitops/a.yaml", "gitops/b.yaml"]


def test_a_profile_that_is_configured_may_change_only_what_it_lists():
    given = case(
        diff("d365/a.cs", "1", "2"),
        diff("services/b.go", "1", "2"),
        profile="external-executor",
        profiles={"external-executor": {"allowed": ["/d365/"]}},
    )

    (violation,) = paths.check(given)

    assert (violation.rule, violation.path) == ("not-allowed-path", "services/b.go")
    assert "only /d365/" in violation.message
    assert "guardrails.profiles.external-executor.allowed" in violation.next_step


def test_a_profile_that_is_configured_in_part_keeps_the_rest_of_its_defaults():
    given = case(diff("gitops/a", "1", "2"), profiles={"code": {"submodules": True}})

    assert len(told(paths, given)) == 1


@pytest.mark.parametrize(
    "path",
    ["gatehouse.yaml", ".ameide/agent-profile", ".ci/run", ".github/CODEOWNERS", "CODEOWNERS", "AGENTS.md"],
)
@pytest.mark.parametrize("texts", [("1", "2"), (None, "2"), ("1", None)])
def test_files_that_decide_what_is_judged_are_protected(path, texts):
    assert told(protected_files, case(diff(path, *texts))) == [("protected-file", path, 0, "profiles")]


def test_a_marker_and_configuration_stay_protected_whatever_the_list_says():
    given = case(diff("gatehouse.yaml", "1", "2"), diff("who", "1", "2"), protected=[], marker="who")

    assert [path for _, path, *_ in told(protected_files, given)] == ["gatehouse.yaml", "who"]


def test_a_configuration_below_the_root_is_another_file():
    assert told(protected_files, case(diff("examples/gatehouse.yaml", "1", "2"))) == []


@pytest.mark.parametrize(
    ("old", "new", "protected"),
    [
        ("run: pytest -m inner", "run: true", True),
        ("run: make", "run: gatehouse gate", True),
        ("run: make", "run: make all", False),
        ("run: gatehouse gate", None, True),
    ],
)
def test_a_workflow_is_protected_when_it_calls_the_gate_or_did(old, new, protected):
    assert bool(told(protected_files, case(diff(".github/workflows/ci.yml", old, new)))) is protected


def test_a_workflow_that_could_not_be_read_is_taken_to_call_the_gate():
    given = case(diff(".github/workflows/ci.yml", None, None, unread="too large", new_mode="100644"))

    assert len(told(protected_files, given)) == 1


def test_a_profile_may_be_let_change_a_protected_file():
    given = case(diff(".ci/run", "1", "2"), profiles={"code": {"may_change_protected": ["/.ci/"]}})

    assert told(protected_files, given) == []


POINTER = {"old_mode": "160000", "new_mode": "160000"}


@pytest.mark.parametrize(
    ("about", "red"),
    [
        ({**POINTER, "old_blob": "1" * 40, "new_blob": "2" * 40}, True),
        ({**POINTER, "old_blob": "1" * 40, "new_blob": None}, True),
        ({**POINTER, "old_blob": "1" * 40, "new_blob": "1" * 40}, False),
    ],
)
def test_a_moved_submodule_pointer_is_red_and_a_dirty_submodule_is_not(about, red):
    assert bool(told(submodules, case(diff("library", "", "", **about)))) is red


@pytest.mark.parametrize("texts", [("", None), (None, "")])
def test_an_added_or_removed_submodule_is_red(texts):
    about = {"old_mode": "160000"} if texts[1] is None else {"new_mode": "160000"}

    assert told(submodules, case(diff("library", *texts, **about))) == [
        ("submodule-pointer", "library", 0, "profiles")
    ]


def test_the_list_of_submodules_is_a_pointer_too():
    assert told(submodules, case(diff(".gitmodules", "1", "2"))) == [
        ("submodule-pointer", ".gitmodules", 0, "profiles")
    ]


def test_a_profile_may_be_let_move_submodules():
    given = case(
        diff("library", "", "", **POINTER, old_blob="1", new_blob="2"),
        profiles={"code": {"submodules": True}},
    )

    assert told(submodules, given) == []


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a", "b", False),
        ("deep/er/a", "../../b", False),
        ("deep/a", "../../b", True),
        ("a", "/etc/passwd", True),
        ("a", "..", True),
        ("a", "b/../../c", True),
        ("a", ".git/hooks/x", True),
        ("a", ".gitignore", False),
        ("a", "..b", False),
    ],
)
def test_a_symbolic_link_out_of_the_tree_is_red(path, target, out):
    assert bool(told(file_kinds, case(diff(path, None, target, new_mode="120000")))) is out


def test_a_file_that_becomes_executable_is_a_note():
    given = case(diff("run", "1", "1", old_mode="100644", new_mode="100755"))

    assert told(file_kinds, given) == [("became-executable", "run", 0, "nobody")]


def test_files_that_were_not_read_are_one_note():
    given = case(
        *(diff(name, None, None, unread="larger than 1024 KiB", new_mode="100644") for name in "abc")
    )

    (note,) = unread.check(given)

    assert "and 2 other files" in note.message and note.path == "a"
