"""Whether a workspace runs in the image that was meant: what the builder's log says when it does not.

Words as in coder/envbuilder (`envbuilder.go`): after each of them it goes on with the fallback image or without
the step, and the agent becomes ready all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What envbuilder prints when it gives up on something and goes on. Only at the start of a line: the output of
#: builds and scripts, which is in the same log, speaks of failures of its own.
_FALLBACKS = re.compile(
    r"(?:#\d+: )?(?:"
    r"Failed to clone repository"
    r"|Failed to locate devcontainer\.json"
    r"|Failed to parse devcontainer\.json"
    r"|Failed to build: "
    r"|Failed to run \w+Command: "
    r"|Falling back to the default image"
    r"|No Dockerfile or image specified; falling back to the default image)"
)

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def fallbacks(lines: Iterable[str]) -> list[str]:
    """The lines of an agent's log that say that something else runs than was meant, in their order."""
    plain = (_COLOUR.sub("", line).strip() for line in lines)
    return [line for line in plain if _FALLBACKS.match(line)]
