"""A checkout with projects of Playwright Test, a small site on loopback, and pytest on both, without a platform."""

import json
import os
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gatehouse.evidence.record import read_record
from gatehouse.evidence.results import read_results
from tests.support.forked import run_pytest

OPTIONS = ("-m", "preview", "-p", "no:cacheprovider")

#: Installed by scripts/bootstrap.
NODE_MODULES = Path(__file__).resolve().parents[2] / "fixtures" / "journeys" / "node_modules"

#: In place of the proof of a preview: it is there, and proved.
PROVED = """
    import dataclasses, json, os
    from pathlib import Path
    from gatehouse.preview.guard import Guard

    class Proved:
        def now(self, deployment):
            return ["all is well"]

    def prove(self, config, stage, wait=None):
        self._environment = json.loads(os.environ["PROVED_PREVIEW"])
        self._write({"environment": self._environment})
        return Proved()

    given = Guard._given
    personas = {"owner": Path("owner.json").resolve()}
    Guard._prove = prove
    Guard._given = lambda self: dataclasses.replace(given(self), storage_states=personas)
"""

CONFIG = """
    import { defineConfig } from '@playwright/test';
    export default defineConfig({ testDir: 'specs' });
"""

SETTINGS = """
version: 1
targets:
  here:
    argocd: {server: "http://127.0.0.1:9"}
    github: {repository: acme/shop}
    preview:
      product_images: [registry.example.com/acme/*]
      urls: {www: "http://127.0.0.1:9"}
      correlation: {send: preview}
"""


class Site:
    """A site that writes down what it is asked, with the headers by which requests are known."""

    def __init__(self):
        self.requests = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.requests.append((self.path, dict(self.headers)))
                if self.path.startswith("/away"):
                    self.send_response(302)
                    self.send_header("Location", f"http://localhost:{site.port}/elsewhere")
                    self.end_headers()
                    return
                page = "<title>Site</title><link rel=icon href='data:,'><h1>Hello</h1>"
                if self.path.startswith("/noisy"):
                    page += "<script>console.error('the page complains'); fetch('/missing')</script>"
                self.send_response(404 if self.path == "/missing" else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def asked(self, path):
        """Headers of the requests for a path, in small letters."""
        return [
            {name.lower(): value for name, value in headers.items()}
            for each, headers in self.requests
            if each == path
        ]


class Checkout:
    """A git checkout with projects in it; `run` is `pytest -m preview` there."""

    def __init__(self, folder, site):
        self.folder, self.site = folder, site
        self.settings = []
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        self.write(
            {
                "pytest.ini": "[pytest]\n",
                "conftest.py": PROVED,
                ".gitignore": "node_modules\n__pycache__/\n.pytest_cache/\n",
            }
        )

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def add(self, name, specs, config=CONFIG, package=None, config_name="playwright.config.ts", **settings):
        """Add a project with its dependencies installed."""
        files = {f"{name}/package.json": json.dumps(package or {"name": "journeys"})}
        files |= {f"{name}/{config_name}": config} if config else {}
        files |= {f"{name}/specs/{spec}": text for spec, text in specs.items()}
        self.write(files)
        assert NODE_MODULES.is_dir(), "run scripts/bootstrap first"
        (self.folder / name / "node_modules").symlink_to(NODE_MODULES)
        self.settings.append({"folder": name, **settings})
        return self

    def commit(self):
        (self.folder / "gatehouse.yaml").write_text(
            SETTINGS + "playwright_test: " + json.dumps(self.settings) + "\n"
        )
        git = ["git", "-C", str(self.folder), "-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "all"], check=True)

    def begin(self, *arguments, **environment):
        """The run as a process."""
        self.commit()
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *OPTIONS, *arguments],
            cwd=self.folder,
            env=self._environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments, **environment):
        """Run it to its end."""
        self.commit()
        done = run_pytest([*OPTIONS, *arguments], self.folder, self._environment(environment))
        return Outcome(self.folder, done.returncode, done.stdout + done.stderr)

    def end(self, process):
        output, _ = process.communicate(timeout=100)
        return Outcome(self.folder, process.returncode, output)

    def _environment(self, more):
        urls = {"www": self.site.url + "/"}
        proved = {"number": 7, "commit": "c" * 40, "urls": urls, "base_url": urls["www"]}
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "GATEHOUSE_"))
        }
        return {**kept, "PROVED_PREVIEW": json.dumps(proved), **more}


class Outcome:
    """How a run ended, and what it left behind."""

    def __init__(self, folder, code, output):
        self.code, self.output = code, output
        self.bundle = (folder / "reports" / "latest").resolve()
        self.events = [*read_record(self.bundle / "record.jsonl")]
        self.results = read_results(self.events)
        environment = (
            json.loads((self.bundle / "attachments" / "preview-environment.json").read_text())
            if (self.bundle / "attachments" / "preview-environment.json").is_file()
            else {}
        )
        self.base_url = environment.get("environment", {}).get("base_url")
        self.digest = (self.bundle / "digest.md").read_text()

    def of(self, words):
        """The one test whose id holds these words."""
        (found,) = [test for name, test in self.results.tests.items() if words in name]
        return found

    def journeys(self, words):
        return [
            each for each in self.events if each["event"] == "journey" and each["test"] == self.of(words).id
        ]

    @property
    def statuses(self):
        return {name.partition("::")[2]: str(test.status) for name, test in self.results.tests.items()}

    @property
    def problems(self):
        return [each.summary for each in self.results.problems]
