import json
from datetime import date

import pytest

from gatehouse.core.base import find_base
from gatehouse.core.changes import changes_since
from gatehouse.core.checkout import Checkout
from gatehouse.core.errors import UsageError
from gatehouse.guardrails.preflight import examine
from tests.support.repositories import Repository

TODAY = date(2026, 11, 21)
TOKEN = "ghp" + "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
TEST = "def test_a():\n    assert f() == 1\n"


@pytest.fixture
def repository(tmp_path):
    """A repository on a branch `work` that changes nothing yet."""
    repository = Repository(tmp_path / "r")
    repository.commit({"services/a.py": "a\n", "tests/test_a.py": TEST, "gitops/x.yaml": "x: 1\n"})
    repository.git("checkout", "-q", "-b", "work")
    return repository


def judge(repository, profile=None, option=None, **environment):
    base = find_base(repository.checkout, option, environment)
    changes = changes_since(repository.checkout, base.commit)
    return examine(
        repository.checkout, base, changes, option_profile=profile, environment=environment, today=TODAY
    )


def rules(examination):
    return [(each.rule, each.path) for each in examination.violations]


def on_main(repository, files):
    """Commit to main, and begin `work` anew from there."""
    repository.git("checkout", "-q", "main")
    repository.commit(files)
    repository.git("checkout", "-q", "-B", "work")


def test_nothing_changed_is_nothing_violated(repository):
    found = judge(repository, "code")

    assert (found.violations, found.notes, found.judged) == ((), (), 0)


@pytest.mark.parametrize("state", ["committed", "staged", "unstaged", "untracked"])
def test_a_forbidden_change_is_red_wherever_it_is(repository, state):
    path = "gitops/new.yaml" if state == "untracked" else "gitops/x.yaml"
    repository.write(path, "x: 2\n")
    if state in ("staged", "committed"):
        repository.git("add", "-A")
    if state == "committed":
        repository.git("commit", "-q", "-m", "x")

    assert rules(judge(repository, "code")) == [("forbidden-path", path)]


def test_for_a_stranger_the_same_change_is_a_note(repository):
    repository.write("gitops/x.yaml", "x: 2\n")
    repository.write("gatehouse.yaml", "version: 1\n")
    repository.write("tests/test_a.py", "@pytest.mark.skip\n" + TEST)

    found = judge(repository)

    assert found.violations == () and not found.binding
    assert {each.rule for each in found.notes} == {"forbidden-path", "protected-file", "skipped-test"}


def test_a_token_is_red_for_strangers_too(repository):
    repository.write("services/a.py", f"a\nTOKEN = '{TOKEN}'\n")

    found = judge(repository)

    assert rules(found) == [("new-secret", "services/a.py")]
    assert TOKEN not in json.dumps(found.as_data())


def test_the_marker_counts_as_of_the_base(repository):
    on_main(
        repository,
        {".ameide/agent-profile": "code\n", ".devcontainer/coder/devcontainer.json": "{}", "AGENTS.md": "x"},
    )
    repository.write(".ameide/agent-profile", "gitops\n")
    repository.write("gitops/x.yaml", "x: 2\n")

    found = judge(repository)

    assert (found.profile, found.binding) == ("code", True)
    assert rules(found) == [("protected-file", ".ameide/agent-profile"), ("forbidden-path", "gitops/x.yaml")]


def test_a_marker_that_the_change_adds_is_not_believed(repository):
    repository.write(".ameide/agent-profile", "gitops\n")

    assert judge(repository).source == "a guess from the folders"


def test_the_policy_counts_as_of_the_base(repository):
    on_main(
        repository,
        {"gatehouse.yaml": "version: 1\nguardrails:\n  profiles:\n    code: {forbidden: [/services/]}\n"},
    )
    repository.commit({"gatehouse.yaml": "version: 1\n", "services/a.py": "b\n"})

    found = judge(repository, "code")

    assert rules(found) == [("protected-file", "gatehouse.yaml"), ("forbidden-path", "services/a.py")]
    assert found.policy_source.startswith("gatehouse.yaml at ")


def test_a_policy_that_the_change_adds_is_not_believed(repository):
    repository.write("gatehouse.yaml", "guardrails: {profiles: {code: {forbidden: []}}}\n")
    repository.write("gitops/x.yaml", "x: 2\n")

    assert ("forbidden-path", "gitops/x.yaml") in rules(judge(repository, "code"))


def test_another_marker_file_can_be_configured(repository):
    on_main(repository, {"gatehouse.yaml": "guardrails: {marker: WHO}\n", "WHO": "sre\n"})

    assert judge(repository).profile == "sre"


def test_other_sections_of_the_bases_configuration_do_not_matter(repository):
    on_main(repository, {"gatehouse.yaml": "anything: [1]\n"})

    assert judge(repository, "code").violations == ()


@pytest.mark.parametrize("text", ["guardrails: {nonsense: 1}\n", "guardrails: [\n", "- 1\n"])
def test_a_policy_of_the_base_that_cannot_be_read_is_red_for_a_named_profile(repository, text):
    on_main(repository, {"gatehouse.yaml": text})

    assert rules(judge(repository, "code")) == [("policy", "gatehouse.yaml")]
    assert judge(repository).violations == ()


def test_without_a_base_a_named_profile_is_red_and_a_stranger_is_told(repository):
    repository.git("branch", "-q", "-D", "main")

    assert rules(judge(repository, "code")) == [("no-base", "")]
    assert [each.rule for each in judge(repository).notes] == ["no-base"]


def test_before_the_first_commit_everything_is_judged(tmp_path):
    repository = Repository(tmp_path / "new")
    repository.write("gitops/x.yaml", "x\n")

    found = judge(repository, "code")

    assert rules(found) == [("forbidden-path", "gitops/x.yaml")]


def test_a_profile_that_does_not_exist_is_a_usage_error(repository):
    with pytest.raises(UsageError, match="'root'"):
        judge(repository, AMEIDE_AGENT_PROFILE="root")


def allowing(until=""):
    entry = f"{{rule: forbidden-path, path: /gitops/, reason: moved by hand in this quarter{until}}}"
    return {"gatehouse.yaml": f"guardrails:\n  allow:\n    - {entry}\n"}


@pytest.mark.parametrize("until", ["", ", until: 2026-11-21", ", until: 2027-01-01"])
def test_what_the_policy_allows_is_a_note_with_the_reason(repository, until):
    on_main(repository, allowing(until))
    repository.write("gitops/x.yaml", "x: 2\n")

    found = judge(repository, "code")

    assert found.violations == ()
    assert "moved by hand in this quarter" in found.notes[0].message


def test_what_was_allowed_until_yesterday_is_red_and_says_so(repository):
    on_main(repository, allowing(", until: 2026-11-20"))
    repository.write("gitops/x.yaml", "x: 2\n")

    (violation,) = judge(repository, "code").violations

    assert "was allowed until 2026-11-20" in violation.message


def test_the_examination_says_how_long_the_policy_accepts_what_it_found(repository):
    on_main(repository, allowing(", until: 2026-12-01"))
    nothing_accepted = judge(repository, "code")
    repository.write("gitops/x.yaml", "x: 2\n")

    assert nothing_accepted.until is None
    assert judge(repository, "code").as_data()["until"] == "2026-12-01"


def test_an_entry_that_is_over_does_not_hide_one_that_still_accepts(repository):
    policy = allowing(", until: 2026-11-20")["gatehouse.yaml"]
    on_main(repository, {"gatehouse.yaml": policy + policy[policy.index("    - ") :].replace("2026", "2027")})
    repository.write("gitops/x.yaml", "x: 2\n")

    found = judge(repository, "code")

    assert (found.violations, str(found.until)) == ((), "2027-11-20")


def test_what_is_about_no_path_can_be_allowed_too(repository):
    on_main(
        repository,
        {"gatehouse.yaml": "guardrails: {allow: [{rule: no-base, reason: this mirror has no main}]}\n"},
    )
    repository.git("branch", "-q", "-D", "main")

    assert judge(repository, "code").violations == ()


def test_what_is_allowed_elsewhere_is_red(repository):
    on_main(repository, {**allowing(), "promotion/y": "1\n"})
    repository.write("promotion/y", "2\n")

    assert rules(judge(repository, "code")) == [("forbidden-path", "promotion/y")]


def test_a_test_that_is_deleted_in_a_commit_is_red_for_an_agent(repository):
    repository.git("rm", "-q", "tests/test_a.py")
    repository.commit()

    assert rules(judge(repository, AMEIDE_AGENT_PROFILE="code")) == [("deleted-test", "tests/test_a.py")]


@pytest.mark.parametrize("staged", [True, False])
def test_a_test_that_is_moved_is_no_deletion(repository, staged):
    repository.write("other/.keep")
    (repository.root / "tests/test_a.py").rename(repository.root / "other/test_a.py")
    if staged:
        repository.git("add", "-A")

    assert judge(repository, "code").violations == ()


def test_what_a_moved_test_file_held_before_is_not_new(repository):
    on_main(repository, {"tests/test_b.py": f"@pytest.mark.skip\n{TEST}"})
    (repository.root / "tests/test_b.py").rename(repository.root / "tests/test_c.py")

    assert judge(repository, "code").violations == ()


def test_a_test_file_that_is_renamed_so_that_nobody_runs_it_is_a_deletion(repository):
    repository.git("mv", "tests/test_a.py", "tests/a.py")

    assert rules(judge(repository, "code")) == [("deleted-test", "tests/test_a.py")]


def test_a_large_file_is_not_read_and_that_is_said(repository):
    with (repository.root / "large.bin").open("wb") as file:
        file.truncate(200 * 1024 * 1024)

    found = judge(repository, "code")

    assert found.violations == ()
    assert [(each.rule, each.path) for each in found.notes] == [("not-read", "large.bin")]


def test_a_name_that_is_not_utf8_is_written_as_evidence(repository):
    (repository.root / "gitops" / "bad-\udcff").write_text("x\n")

    (violation,) = judge(repository, "code").as_data()["violations"]

    assert json.loads(json.dumps(violation))["path"] == "gitops/bad-\\xff"


def test_evidence_names_the_rule_the_profile_and_the_policy(repository):
    repository.write("gitops/x.yaml", "x: 2\n")

    data = json.loads(json.dumps(judge(repository, "code").as_data()))

    assert data["verdict"] == "violated" and data["rules"] == ["forbidden-path"]
    assert data["profile"] == {"name": "code", "source": "--gate-profile", "binding": True}
    assert data["base"]["source"] == "main"
    assert data["policy"].startswith("defaults")


def test_evidence_of_very_many_violations_stays_short_and_counts_them(repository):
    for number in range(250):
        repository.write(f"gitops/{number}", "x\n")

    data = judge(repository, "code").as_data()

    assert (len(data["violations"]), data["violations_in_all"]) == (200, 250)


def test_git_is_asked_once_when_nothing_changed_and_three_times_else(repository, monkeypatch):
    asked = []
    ask = Checkout.ask

    def counted(checkout, *arguments, **more):
        asked.append(arguments)
        return ask(checkout, *arguments, **more)

    monkeypatch.setattr(Checkout, "ask", counted)
    base = find_base(repository.checkout, None, {})
    counts = []
    for _ in range(2):
        changes = changes_since(repository.checkout, base.commit)
        asked.clear()
        examine(repository.checkout, base, changes, option_profile=None, environment={}, today=TODAY)
        counts.append(len(asked))
        repository.write("services/a.py", "b\n")

    assert counts == [1, 3]


def test_a_replaced_object_does_not_change_the_policy(repository):
    on_main(repository, {"gatehouse.yaml": "guardrails: {profiles: {code: {forbidden: [/services/]}}}\n"})
    fake = repository.write("fake.yaml", "guardrails: {profiles: {code: {forbidden: []}}}\n")
    blob = repository.git("hash-object", "-w", str(fake))
    fake.unlink()
    repository.git("replace", repository.git("rev-parse", "main:gatehouse.yaml"), blob)
    repository.write("services/a.py", "b\n")

    assert ("forbidden-path", "services/a.py") in rules(judge(repository, "code"))
