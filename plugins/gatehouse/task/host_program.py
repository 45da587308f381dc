"""Asks a Git host from inside a workspace that has Python and no `curl`. Standard library only, from 3.9 on.

The token is in the variable `token`, the requests are a JSON list in the first argument. Each answer is printed on
a line of its own, in base64, as `curl -i` shows it. Redirects are not followed: the token would go with them.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def main() -> None:
    """Make the requests one after the other."""
    opener = urllib.request.build_opener(_Stay)
    for asked in json.loads(sys.argv[1]):
        print(base64.b64encode(_answer(opener, asked)).decode())


def _answer(opener: urllib.request.OpenerDirector, asked: dict[str, Any]) -> bytes:
    secret = os.environ["token"]  # noqa: SIM112 - the shell's variable
    if asked["basic"]:
        secret = "Basic " + base64.b64encode(f"x-access-token:{secret}".encode()).decode()
    else:
        secret = "Bearer " + secret
    body = asked["body"].encode() if asked["body"] else None
    headers = {"Authorization": secret, "Accept": "*/*", "User-Agent": "gatehouse"}
    request = urllib.request.Request(asked["url"], body, headers, method=asked["method"])  # noqa: S310 - built by us
    try:
        with opener.open(request, timeout=asked["timeout"]) as answer:
            return _shown(answer.status, answer, asked)
    except urllib.error.HTTPError as error:
        return _shown(error.code, error, asked)
    except (OSError, ValueError) as error:
        return str(error).encode()


def _shown(status: int, answer: Any, asked: dict[str, Any]) -> bytes:
    head = f"HTTP/1.1 {status} -\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in answer.headers.items()
    )
    body = b"" if asked["head_only"] and status == 200 else answer.read(asked["limit"])
    return head.encode() + b"\r\n" + body


if __name__ == "__main__":
    main()
