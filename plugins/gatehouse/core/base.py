"""Which commit a checkout is compared with, so that only what a change touches has to be looked at.

In this order: the option, `GATEHOUSE_BASE`, what the CI system says about its run, `origin/HEAD`, then `main` or
`master`, of the remote or local. The first that is there decides; what counts is its merge base with HEAD. When the
one that decides cannot be used there is no base, and the words why: whoever asked then looks at everything, because
a base that is guessed too late looks at nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gatehouse.core.checkout import Checkout
from gatehouse.core.ci import Named, named_by_ci
from gatehouse.core.errors import UsageError

BASE_VARIABLE = "GATEHOUSE_BASE"

#: Branches that changes are usually merged into, the surest first.
_USUAL = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)


@dataclass(frozen=True)
class Base:
    """What to compare with. `commit` is None when there is nothing; `problem` then says why.

    `source` is who named it, in words for people: `--gate-base main`, `origin/HEAD`.
    """

    commit: str | None
    source: str
    problem: str = ""


def find_base(checkout: Checkout, option: str | None, environment: Mapping[str, str]) -> Base:
    """The base of what is checked out. Raises `UsageError` for an option that names no commit."""
    if option is not None and (error := _unknown(checkout, option)):
        raise UsageError(
            f"--gate-base {option} names no commit of this checkout",
            seen=error,
            where=str(checkout.root),
            next_step="name a branch, tag or commit that is there, or fetch it first",
        )
    if checkout.head is None:
        return Base(None, "none", "there is no commit yet")
    if option is not None:
        return _merge_base(checkout, f"--gate-base {option}", [option])
    if value := environment.get(BASE_VARIABLE):
        return _from(checkout, Named(f"{BASE_VARIABLE}={value}", (value,)))
    if named := named_by_ci(environment):
        return _from(checkout, named)
    for ref in _known(checkout):
        base = _merge_base(checkout, ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"), [ref])
        if base.commit is not None and environment.get("CI") and base.commit == checkout.head:
            # A CI run on the main branch: compared with that branch, nothing would ever have changed.
            return Base(None, base.source, "this CI run names no base, and HEAD is on the main branch")
        return base
    return Base(None, "none", "there is no origin/HEAD, and no branch main or master, here or at origin")


def _from(checkout: Checkout, named: Named) -> Base:
    """The merge base with what the environment names; several names are one point of the same branch."""
    if named.problem:
        return Base(None, named.source, named.problem)
    errors = {name: _unknown(checkout, name) for name in named.revisions}
    known = [name for name, error in errors.items() if not error]
    if not known:
        words = "; ".join(f"{name}: {error}" for name, error in errors.items())
        return Base(None, named.source, f"not a commit of this checkout ({words}){_shallow(checkout)}")
    return _merge_base(checkout, named.source, known)


def _unknown(checkout: Checkout, revision: str) -> str:
    """Why `revision` is no commit here, in git's words; nothing when it is one."""
    if not revision or revision.startswith("-"):
        return f"{revision!r} is no name of a revision"
    code, _, error = checkout.ask("rev-parse", "--verify", f"{revision}^{{commit}}")
    return "" if code == 0 else error.strip() or f"git rev-parse ended with exit code {code}"


def _merge_base(checkout: Checkout, source: str, revisions: Sequence[str]) -> Base:
    """The best common ancestor of HEAD and any of `revisions`, which are commits."""
    code, output, error = checkout.ask("merge-base", "HEAD", *revisions)
    if code == 0 and output.strip():
        return Base(output.split()[0], source)
    words = error.strip() or "HEAD has no common ancestor with it"
    return Base(None, source, f"{words}{_shallow(checkout)}")


def _shallow(checkout: Checkout) -> str:
    _, output, _ = checkout.ask("rev-parse", "--is-shallow-repository")
    return "; the history is shallow: `git fetch --unshallow` gets the rest" if "true" in output else ""


def _known(checkout: Checkout) -> Iterator[str]:
    """Those of the usual branches that are there."""
    _, output, _ = checkout.ask("for-each-ref", "--format=%(refname)", *_USUAL)
    there = set(output.split())
    return (ref for ref in _USUAL if ref in there)
