"""A stand-in for code-server: a page whose script builds the workbench over a WebSocket, its assets and its health.

`EDITOR_FAULT` makes it ill: `unhealthy`, `asset-missing`.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

FAULT = os.environ.get("EDITOR_FAULT", "")

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{folder} - code-server</title>
<link rel="stylesheet" href="./_static/editor.css">
<script type="application/json" id="files">{files}</script></head>
<body><script src="./_static/out/workbench.js"></script></body></html>
"""
STYLE = """body { margin: 0; background: #1e1e1e; color: #ccc; font: 14px monospace }
.monaco-workbench { display: flex; min-height: 100vh }
nav { width: 16em; background: #252526 }
textarea { flex: 1; background: inherit; color: inherit; border: 0; padding: 1em }
dialog { margin: 2em auto }
"""
SCRIPT = """'use strict';
const address = new URL('./', location.href);
address.protocol = address.protocol.replace('http', 'ws');
address.search = '?reconnectionToken=' + Math.random().toString(16).slice(2) + '&skipWebSocketFrames=false';
const socket = new WebSocket(address);
socket.onopen = () => {
  const workbench = document.createElement('div');
  workbench.className = 'monaco-workbench';
  const explorer = document.createElement('nav');
  explorer.setAttribute('aria-label', 'Explorer');
  for (const name of JSON.parse(document.getElementById('files').textContent)) {
    const entry = document.createElement('div');
    entry.textContent = name;
    explorer.append(entry);
  }
  const editor = document.createElement('textarea');
  editor.setAttribute('aria-label', 'Editor');
  editor.value = document.title + ' (embedded platform)';
  workbench.append(explorer, editor);
  document.body.append(workbench);
};
socket.onclose = (event) => {
  const words = `The workbench failed to connect to the server (Error: WebSocket close with status code ${event.code})`;
  console.error(words);
  const dialog = document.createElement('dialog');
  dialog.open = true;
  dialog.textContent = 'An unexpected error occurred that requires a reload of this page. ' + words;
  document.body.append(dialog);
};
"""


def answer(_connection: ServerConnection, request: Request) -> Response | None:
    """The page, its health and its assets; None for the WebSocket; 404 for all else.

    Paths are those below the base path, which the proxy has already taken off.
    """
    path = request.path.split("?")[0]
    if "websocket" in request.headers.get("Upgrade", "").lower():
        return None if path == "/" else _response(404, "Not Found", "text/plain", "Not Found")
    if path == "/healthz":
        if FAULT == "unhealthy":
            return _response(500, "Internal Server Error", "text/plain", "ENOSPC: no space left on device")
        body = json.dumps({"status": "alive", "lastHeartbeat": int(time.time() * 1000)})
        return _response(200, "OK", "application/json", body)
    if path == "/_static/editor.css":
        return _response(200, "OK", "text/css", STYLE)
    if path == "/_static/out/workbench.js" and FAULT != "asset-missing":
        return _response(200, "OK", "text/javascript", SCRIPT)
    if path == "/":
        folder = Path.cwd()
        files = json.dumps(sorted(entry.name for entry in folder.iterdir())).replace("<", "\\u003c")
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
