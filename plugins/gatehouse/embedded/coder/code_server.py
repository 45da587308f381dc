"""A stand-in for code-server: a page with an editor, its health, one static asset, and a WebSocket that echoes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{folder} - code-server</title>
<link rel="stylesheet" href="_static/editor.css"></head>
<body><nav aria-label="Explorer"><ul>{files}</ul></nav>
<main><textarea aria-label="Editor" spellcheck="false"></textarea></main></body></html>
"""
STYLE = """body { display: flex; margin: 0; font: 14px monospace }
nav { width: 16em; background: #252526; color: #ccc }
textarea { width: 60em }
"""


def answer(_connection: ServerConnection, request: Request) -> Response | None:
    """The page, its health and its style sheet; None for the WebSocket; 404 for all else.

    Paths are those below the base path, which the proxy has already taken off.
    """
    path = request.path.split("?")[0]
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return None if path == "/" else _response(404, "Not Found", "text/plain", "Not Found")
    if path == "/healthz":
        body = json.dumps({"status": "alive", "lastHeartbeat": int(time.time() * 1000)})
        return _response(200, "OK", "application/json", body)
    if path == "/_static/editor.css":
        return _response(200, "OK", "text/css", STYLE)
    if path == "/":
        folder = Path.cwd()
        files = "".join(f"<li>{entry.name}</li>" for entry in sorted(folder.iterdir()))
        page = PAGE.format(folder=folder.name, files=files)
        return _response(200, "OK", "text/html; charset=utf-8", page)
    return _response(404, "Not Found", "text/plain", "Not Found")


def echo(connection: ServerConnection) -> None:
    """Send back what comes."""
    for message in connection:
        connection.send(message)


def _response(status: int, reason: str, content_type: str, body: str) -> Response:
    data = body.encode()
    headers = Headers({"Content-Type": content_type, "Content-Length": str(len(data)), "Connection": "close"})
    return Response(status, reason, headers, data)


if __name__ == "__main__":
    with serve(echo, "127.0.0.1", int(os.environ["PORT"]), process_request=answer) as server:
        server.serve_forever()
