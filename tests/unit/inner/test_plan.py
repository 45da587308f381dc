from pathlib import Path

from gatehouse.core.inner_settings import SilencedCheck
from gatehouse.inner.cache import Pass
from gatehouse.inner.model import Blame, Check, Package, Parsed, Phase
from gatehouse.inner.plan import Action, Scope, decide

PACKAGE = Package(Path("/checkout"), "api", "api/go.mod", "go")
FOUND = Pass("api/go.mod::go-test", 1_700_000_000.0, 1.0)
TOUCHED = Scope({"api/go.mod": "api/main.go changed"})
UNTOUCHED = Scope({})
EVERYTHING = Scope({}, "no base")


def check(**more):
    return Check(PACKAGE, "go-test", Phase.UNIT, Blame.TEST, ("go", "test"), **more)


def action(scope, found=None, silenced=(), everything=False, **more):
    decision = decide(
        check(**more), scope, silenced=silenced, key="k", find=lambda key: found, everything=everything
    )
    return decision.action, decision.reason


def test_what_the_change_touches_is_run_and_says_why():
    assert action(TOUCHED) == (Action.RUN, "api/main.go changed")


def test_what_nothing_touches_is_unaffected():
    assert action(UNTOUCHED)[0] is Action.UNAFFECTED


def test_without_a_base_everything_is_run():
    assert action(EVERYTHING) == (Action.RUN, "no base")


def test_a_known_pass_stands_whether_touched_or_not():
    assert action(TOUCHED, FOUND)[0] is Action.CACHED
    assert action(UNTOUCHED, FOUND)[0] is Action.CACHED
    assert action(EVERYTHING, FOUND) == (
        Action.CACHED,
        "passed with the same inputs at 2023-11-14T22:13:20+00:00",
    )


def test_who_asks_for_everything_gets_it_run():
    assert action(UNTOUCHED, FOUND, everything=True) == (Action.RUN, "everything was asked for")


def test_a_silenced_check_stays_silenced_even_then():
    silenced = [SilencedCheck(check="api/*", reason="moved to another runner")]

    assert action(EVERYTHING, silenced=silenced, everything=True) == (
        Action.SILENCED,
        "moved to another runner",
    )


def test_guard_rails_cannot_be_silenced():
    silenced = [SilencedCheck(check="*", reason="moved to another runner")]
    guard = Check(PACKAGE, "code", Phase.CONTRACT, Blame.GUARD_RAIL, look=Parsed)

    decision = decide(guard, EVERYTHING, silenced=silenced, key="", find=lambda key: None)

    assert decision.action is Action.RUN


def test_what_is_not_installed_matters_only_where_it_is_needed():
    assert action(TOUCHED, missing="go") == (Action.NOT_INSTALLED, "go is not installed")
    assert action(UNTOUCHED, missing="go")[0] is Action.UNAFFECTED


def test_a_look_is_always_taken():
    assert action(UNTOUCHED, FOUND, look=Parsed)[0] is Action.RUN
