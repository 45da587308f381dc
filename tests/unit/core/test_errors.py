import inspect
import pickle

import pytest

from gatehouse.core import errors


def test_an_error_says_what_was_expected_seen_where_and_what_to_do_next():
    error = errors.Unreachable(
        "Coder does not answer",
        expected="HTTP 200",
        seen="connection refused",
        where="http://x",
        next_step="start it",
    )

    assert str(error).splitlines() == [
        "Coder does not answer",
        "  expected: HTTP 200",
        "  seen: connection refused",
        "  where: http://x",
        "  next: start it",
    ]


def test_product_failures_are_assertion_errors_and_all_others_are_not():
    kinds = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.GatehouseError)
    ]

    for kind in kinds:
        of_the_product = kind.failure_class in {"product", "leak", "untrusted", "guard rail"}
        assert issubclass(kind, AssertionError) == of_the_product, kind


@pytest.mark.parametrize("kind", [errors.WaitTimeout, errors.LeakFound, errors.SettingsError])
def test_errors_survive_pickling_with_all_they_know(kind):
    error = pickle.loads(pickle.dumps(kind("it broke", seen="smoke", next_step="run")))

    assert type(error) is kind
    assert (error.summary, error.seen, error.next_step) == ("it broke", "smoke", "run")


def test_the_tree_in_the_documentation_is_the_tree_in_the_code():
    documented = {
        word for line in errors.__doc__.splitlines() for word in line.split() if word.isidentifier()
    }

    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.GatehouseError):
            assert name in documented


def test_an_error_can_be_told_to_another_process():
    error = errors.NotInstalled("a", expected="b", seen="c", where="d", next_step="e")

    again = errors.error_of(errors.error_data(error))

    assert (type(again), str(again)) == (type(error), str(error))
    assert (
        type(errors.error_of({**errors.error_data(error), "type": "Unheard"})) is errors.InfrastructureError
    )
