import pytest

from gatehouse.core.errors import SettingsError
from gatehouse.gate.policy import load_policy, provenance

GOOD = "schema: 1\nsuites:\n  smoke: {min_executed: 10}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "suites: is required"),
        ("schema: 1\nsuites: {}\n", "should have at least 1 item"),
        ("schema: 2\nsuites: {smoke: {}}\n", "input should be 1"),
        ("suites: {smoke: {min_executed: 0}}\n", "greater than or equal to 1"),
        ("suites: {smoke: {min_exected: 3}}\n", "did you mean 'min_executed'"),
        ("suites: {smoke: {}}\nallow_embeded: true\n", "did you mean 'allow_embedded'"),
        ("suites: [smoke]\n", "valid dictionary"),
        ("a: &x [*x]\n", "policy.yaml"),
    ],
)
def test_a_policy_that_says_nothing_or_the_wrong_thing_is_refused_and_never_means_open(tmp_path, text, words):
    path = tmp_path / "policy.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=words):
        load_policy(path)


def test_the_verdict_can_name_the_policy_it_was_made_under(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)

    assert load_policy(path).suites["smoke"].min_executed == 10
    facts = provenance(path)
    assert (len(facts["sha256"]), facts["commit"]) == (64, None)


def test_the_policy_of_this_repository_is_valid():
    from pathlib import Path

    policy = load_policy(Path(__file__).parents[3] / "fixtures" / "policy.yaml")

    assert set(policy.suites) == {"smoke", "inner", "preview", "task"}
