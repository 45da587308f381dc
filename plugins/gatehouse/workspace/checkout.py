"""Whether a new workspace holds the commit that its branch points to now: asked inside, judged here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Seconds by which clocks may differ when a push is told from an old clone.
CLOCK_TOLERANCE = 120.0

#: What envbuilder and most start scripts print when they find a clone and leave it as it is.
_ALREADY = "already exists"


def questions(folder: str) -> str:
    """A shell script that prints what `parse_checkout` reads, of the checkout in `folder` or the first below it."""
    return f"""cd {shlex.quote(folder)} 2>/dev/null || {{ echo "problem=there is no folder {folder}"; exit 0; }}
export GIT_TERMINAL_PROMPT=0
if ! git rev-parse --git-dir >/dev/null 2>&1; then
  for each in */.git; do [ -e "$each" ] && cd "$(dirname "$each")" && break; done
fi
git rev-parse --git-dir >/dev/null 2>&1 || {{ echo "problem=there is no checkout in $(pwd) or below it"; exit 0; }}
echo "folder=$(pwd)"
echo "head=$(git rev-parse HEAD 2>&1)"
branch=$(git symbolic-ref --quiet --short HEAD); echo "branch=$branch"
remote=$(git config "branch.$branch.remote" || git remote | head -n 1); echo "remote=$remote"
[ -n "$branch" ] && [ -n "$remote" ] || exit 0
if answer=$(git ls-remote --exit-code "$remote" "refs/heads/$branch" 2>&1); then
  tip=$(echo "$answer" | grep 'refs/heads/' | cut -c 1-40 | tail -n 1); echo "tip=$tip"
  if [ -n "$tip" ] && [ "$tip" != "$(git rev-parse HEAD)" ]; then
    git fetch --quiet "$remote" "refs/heads/$branch" >/dev/null 2>&1
    if git merge-base --is-ancestor HEAD "$tip" 2>/dev/null; then
      echo "behind=$(git rev-list --count "HEAD..$tip")"
      echo "next=$(git log --reverse --format=%ct "HEAD..$tip" | head -n 1)"
    fi
  fi
else
  echo "unanswered=$(echo "$answer" | tail -n 1)"
fi"""


@dataclass(frozen=True)
class Checkout:
    """What was found in the workspace."""

    #: Why there is no checkout to judge; '' if there is one.
    problem: str = ""
    folder: str = ""
    head: str = ""
    branch: str = ""
    remote: str = ""
    #: What the branch points to in the repository now; '' if it is not known.
    tip: str = ""
    #: What git said in place of the tip.
    unanswered: str = ""
    #: How many commits the tip is ahead, if the checkout is one of its ancestors.
    behind: int | None = None
    #: When the first of those was committed.
    next_commit: datetime | None = None


def parse_checkout(text: str) -> Checkout:
    """What the script of `questions` printed."""
    found = dict(line.strip().split("=", 1) for line in text.splitlines() if "=" in line)
    return Checkout(
        problem=found.get("problem", ""),
        folder=found.get("folder", ""),
        head=found.get("head", ""),
        branch=found.get("branch", ""),
        remote=found.get("remote", ""),
        tip=found.get("tip", ""),
        unanswered=found.get("unanswered", ""),
        behind=int(found["behind"]) if found.get("behind", "").isdigit() else None,
        next_commit=datetime.fromtimestamp(int(found["next"]), UTC)
        if found.get("next", "").isdigit()
        else None,
    )


@dataclass(frozen=True)
class CheckoutVerdict:
    """Whether the checkout is right; None where nobody could tell. `words` say why."""

    right: bool | None
    words: str
    next_step: str = ""


def judge_checkout(
    checkout: Checkout, wanted: str | None, made_at: datetime, log: Iterable[str] = ()
) -> CheckoutVerdict:
    """The verdict on a checkout of a workspace made at `made_at`; `wanted` is a commit, or its beginning.

    `log` is the agent's log, which tells an old clone from a wrong one.
    """
    if checkout.problem:
        return CheckoutVerdict(
            False, checkout.problem, "read the agent's log for the clone; name the folder as coder.checkout"
        )
    where = f"{checkout.folder} is at {checkout.head[:12]}"
    if wanted:
        right = checkout.head.startswith(wanted)
        return CheckoutVerdict(right, where if right else f"{where}, wanted is {wanted[:12]}", _STEP)
    if not checkout.branch:
        return CheckoutVerdict(None, f"{where}, on no branch; name the commit as coder.checkout_commit")
    if not checkout.tip:
        why = checkout.unanswered or "git told no commit"
        return CheckoutVerdict(None, f"{where}; what {checkout.branch} points to cannot be told: {why}")
    if checkout.head == checkout.tip:
        return CheckoutVerdict(True, where)
    there = f"{checkout.branch} of {checkout.remote} is at {checkout.tip[:12]}"
    if _pushed_meanwhile(checkout, made_at):
        return CheckoutVerdict(True, f"{where}; {there}, pushed after the workspace was made")
    kept = next((line.strip() for line in log if _ALREADY in line), "")
    if kept or checkout.behind:
        behind = f", {checkout.behind} commits ahead" if checkout.behind else ""
        said = f" (log: {kept})" if kept else ""
        return CheckoutVerdict(
            False,
            f"an existing clone was not updated: {where}, {there}{behind}{said}",
            "a new workspace found an old clone: its volume is not its own, or the image holds a clone",
        )
    return CheckoutVerdict(False, f"{where}, {there}", _STEP)


_STEP = "compare the template's repository and branch parameters with what is meant"


def _pushed_meanwhile(checkout: Checkout, made_at: datetime) -> bool:
    """Whether all that the tip is ahead by was committed after the workspace was made."""
    if not checkout.behind or checkout.next_commit is None:
        return False
    return checkout.next_commit >= made_at - timedelta(seconds=CLOCK_TOLERANCE)
