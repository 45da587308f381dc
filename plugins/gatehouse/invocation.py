"""Starting pytest over with other arguments, before it has imported anything of the repository it runs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from gatehouse.core.errors import UsageError

#: Options whose value is a folder or a file.
FOLDER_OPTIONS = ("--gate-evidence", "--gate-repo", "--gate-baseline", "--gate-task")


def joined(arguments: Sequence[str]) -> list[str]:
    """`--gate-evidence DIR` as `--gate-evidence=DIR`, and the like.

    Before it knows our options, pytest takes each word that is not an option for a test to run, and looks
    for its root folder and configuration there if it is a folder that exists: on workers, always.
    """
    result: list[str] = []
    for argument in arguments:
        if result and result[-1] in FOLDER_OPTIONS:
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result


def start_over_joined(given: Sequence[str]) -> None:
    """Run pytest again with the values of `given`, its arguments, joined; does not return if any was not.

    Raises `UsageError` where pytest is called by a program, whose process is not ours to replace.
    """
    arguments = joined(given)
    if arguments == given:
        return
    if sys.orig_argv[-len(given) :] != given:
        separate = next(each for each in given if each in FOLDER_OPTIONS)
        raise UsageError(
            f"pytest takes the value of {separate} for a test",
            next_step=f"write {separate}=DIR, as one word",
        )
    start_over([*sys.orig_argv[1 : -len(given)], *arguments], os.environ)


def start_over(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process by our own interpreter with other arguments; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, *arguments], dict(environment))  # noqa: S606 - our own interpreter, no shell
