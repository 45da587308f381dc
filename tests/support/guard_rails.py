"""Cases for the rules of the guard rails, made of old and new texts."""

from gatehouse.core.changes import Change, Origin, Status
from gatehouse.core.guardrail_settings import GuardrailSettings
from gatehouse.guardrails.model import Case, Diff, Profile


def diff(path, old=None, new=None, **about):
    """A changed file of which one text is None when it was added or deleted."""
    status = Status.ADDED if old is None else Status.DELETED if new is None else Status.MODIFIED
    modes = {"old_mode": None if old is None else "100644", "new_mode": None if new is None else "100644"}
    texts = {name: about.pop(name) for name in ("staged", "unread") if name in about}
    return Diff(Change(path, status, Origin.COMMITTED, **{**modes, **about}), old, new, **texts)


def moved(source, target, old, new):
    """A renamed file, as the two changes that it is."""
    return (diff(source, old, None, renamed_to=target), renamed(target, source, old, new))


def renamed(path, source, old, new):
    change = Change(path, Status.ADDED, Origin.COMMITTED, new_mode="100644", renamed_from=source)
    return Diff(change, old, new)


def case(*diffs, profile="code", files=None, root="/checkout", binding=True, **settings):
    chosen = GuardrailSettings.model_validate(settings)
    return Case(chosen, Profile(profile, "test", binding, chosen.profiles[profile]), diffs, files or {}, root)


def told(rule, given):
    """What a rule says: rule, path, line and weight of each violation."""
    return [(each.rule, each.path, each.line, str(each.weight)) for each in rule.check(given)]
