"""A stand-in for code-server: a page with an editor, its health and one static asset. Standard library only."""

from __future__ import annotations

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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


class Handler(BaseHTTPRequestHandler):
    """Answers below the base path that the proxy has already taken off."""

    def do_GET(self) -> None:
        """The page, its health and its style sheet; 404 for all else."""
        path = self.path.split("?")[0]
        if path == "/healthz":
            body = json.dumps({"status": "alive", "lastHeartbeat": int(time.time() * 1000)})
            self._answer(200, "application/json", body)
        elif path == "/_static/editor.css":
            self._answer(200, "text/css", STYLE)
        elif path == "/":
            folder = Path.cwd()
            files = "".join(f"<li>{entry.name}</li>" for entry in sorted(folder.iterdir()))
            self._answer(200, "text/html; charset=utf-8", PAGE.format(folder=folder.name, files=files))
        else:
            self._answer(404, "text/plain", "Not Found")

    def _answer(self, status: int, content_type: str, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_arguments: object) -> None:
        """Quiet: the agent keeps no log of it."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
