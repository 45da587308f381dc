"""What holds for every check, whatever its language."""

from dataclasses import replace

import pytest

from gatehouse.inner import checks
from gatehouse.inner.checks import LANGUAGES, checks_for
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.discover import discover
from gatehouse.inner.judge import judge
from gatehouse.inner.model import Outcome
from tests.support.checkouts import write
from tests.support.inner_checks import Checkout, done, result

GO = {"m/go.mod": "module m\n", "m/a.go": "package m\n"}


@pytest.fixture
def check(tmp_path):
    return Checkout(tmp_path, GO, ("go", "gofmt")).checks["go-vet"]


def test_a_failing_exit_code_is_never_a_pass_even_when_nothing_could_be_read(check):
    outcome = result(check, "", "something unheard of\n", 3)

    assert (outcome.outcome, outcome.reason) == (Outcome.FAILED, "exit code 3")
    assert "something unheard of" in outcome.output


def test_a_check_over_its_limit_says_so(check):
    outcome = judge(check, done(check, code=None, timed_out=True), timeout=60)

    assert outcome.reason == "did not end within 60 s and was ended"


def test_a_check_that_leaves_processes_behind_is_no_pass(check):
    outcome = result(check, left_behind=("sleep 60",))

    assert "left processes behind" in outcome.reason


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_names_with_spaces_quotes_and_newlines_do_no_harm(tmp_path, language):
    texts = {"package.json": '{"scripts": {"test": "jest"}}', "go.mod": "module m\n"}
    suffix = next(iter(language.suffixes), ".txt")
    for number, folder in enumerate(["a b", 'q"uote', "it's", "new\nline", "d\u00e9j\u00e0"]):
        for manifest in language.manifests[:1]:
            files = {
                f"{folder}/{manifest}": texts.get(manifest, ""),
                f"{folder}/x{suffix}": "\n",
            }
            made = Checkout(tmp_path / str(number), files)
            assert [package.folder for package in made.packages] == [folder]
            assert made.links(f"{folder}/{manifest}") is not None
            assert all(check.package.folder == folder for check in made.checks.values())


def test_a_language_that_trips_over_a_manifest_makes_it_red_and_takes_no_other_package_with_it(
    tmp_path, monkeypatch
):
    def trips(package, tools):
        raise RuntimeError("unheard of")

    broken = [
        replace(language, checks=trips) if language.name == "go" else language for language in LANGUAGES
    ]
    monkeypatch.setattr(checks, "LANGUAGES", tuple(broken))
    write(tmp_path, {"a/go.mod": "module a\n", "b/run.sh": "true\n"})
    found = {
        check.name: check
        for check in checks_for(
            discover(tmp_path, ["a/go.mod", "b/run.sh"], LANGUAGES), Tools("/bin", tmp_path)
        )
    }

    assert [finding.path for finding in found["go-manifest"].look().findings] == ["a/go.mod"]
    assert "shell-syntax" in found
