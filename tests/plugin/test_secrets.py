"""Secrets that tests type, attach, print and raise are in nothing that a run leaves or shows."""

import http.server
import io
import json
import threading
import uuid
import zipfile
from pathlib import Path

import pytest

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.redacted_files import redact_files
from gatehouse.preview.browser import find_browser
from tests.support.secrets import files_with, holds

SECRET = 'Planted "secret"+4/x'

ROOT = Path(__file__).resolve().parents[2]

ATTACH = f"""
import base64, json, os, pathlib, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.support.secrets import archive, jpeg, png

SECRET = os.environ["PLANTED_SECRET"]
"""


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setenv("PLANTED_SECRET", SECRET)


def test_secrets_in_attached_archives_hars_and_pictures_are_masked(suite, planted):
    run = suite(
        ATTACH
        + """
def test_a(evidence):
    header = {"name": "Cookie", "value": "undeclared-cookie"}
    har = {"log": {"entries": [{"request": {"headers": [header], "url": f"https://h/?q={SECRET}"}}]}}
    evidence.attach("a.har", json.dumps(har).encode())
    lines = "".join(json.dumps({"n": n, "text": SECRET}) + "\\n" for n in range(3))
    body = base64.b64encode(f"user:{SECRET}".encode())
    evidence.attach("trace.zip", archive(("trace.trace", lines), ("resources/1.dat", body)))
    evidence.attach("a.png", png((b"tEXt", b"Comment\\0" + SECRET.encode())))
    evidence.attach("a.jpg", jpeg((0xFE, SECRET.encode())))
    evidence.attach(f"named {SECRET}", b"text")
"""
    ).require_sound()

    assert run.exit_code == 0, run.output
    assert files_with(run.folder, SECRET) == []
    assert files_with(run.folder, "undeclared-cookie") == []
    (test,) = run.results.tests.values()
    assert len(test.attachments) == 5
    assert all((run.folder / each["path"]).is_file() for each in test.attachments)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one worker"])
def test_a_run_that_left_a_secret_where_it_cannot_be_masked_is_not_green_and_says_where(
    suite, planted, workers
):
    run = suite(
        ATTACH
        + """
def test_a(evidence):
    evidence.attach("core.bin", b"\\0\\1" + SECRET.encode() + b"\\xff")
    evidence.attach("kept.txt", "nothing")
""",
        *workers,
    ).require_sound()

    assert run.exit_code == 1
    assert run.digest["verdict"] == "failed"
    assert run.digest["first_error"]["failure_class"] == "untrusted"
    (problem,) = run.results.problems
    assert "core.bin" in problem.summary
    assert "core.bin" in run.output
    assert files_with(run.folder, SECRET) == []
    assert not list(run.folder.rglob("*core.bin"))
    (test,) = run.results.tests.values()
    assert [each["name"] for each in test.attachments] == ["kept.txt"]


def test_a_damaged_archive_is_withheld_with_a_note_and_the_run_stays_green(suite, planted):
    run = suite('def test_a(evidence):\n    evidence.attach("a.zip", b"PK\\3\\4 damaged")\n').require_sound()

    assert run.exit_code == 0
    assert "a.zip: the archive is damaged" in run.output
    assert not list(run.folder.rglob("*a.zip"))


FAILING = (
    ATTACH
    + """
import pytest, sys

def test_a(request):
    print("printed", SECRET)
    print("printed", SECRET, file=sys.stderr)
    request.node.user_properties.append(("seen", SECRET))
    local = SECRET
    raise RuntimeError(f'Locator.fill: Timeout 500ms exceeded.\\nCall log:\\n  - fill("{SECRET}")')

def test_b():
    assert {"key": SECRET} == {}, f"no {SECRET}"

@pytest.mark.skip(reason=f"not with {SECRET}")
def test_c():
    pass

@pytest.fixture
def broken():
    raise OSError(SECRET)

def test_d(broken):
    pass
"""
)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one worker"])
def test_messages_are_masked_in_the_bundle_and_in_the_terminal(suite, planted, workers):
    run = suite(FAILING, "--showlocals", "-rA", *workers)

    assert run.exit_code == 1
    assert files_with(run.folder, SECRET) == []
    assert not holds(run.output.encode(), SECRET)
    assert 'fill("[redacted]")' in run.output
    for text in (
        run.output,
        (run.folder / "record.jsonl").read_text(),
        (run.folder / "junit.xml").read_text(),
    ):
        assert "+4/x" not in text  # nor the end of it, where pytest leaves out the middle


def test_a_secret_in_the_id_of_a_test_is_in_no_part_of_the_bundle(suite, planted):
    run = suite(
        ATTACH
        + """
import pytest

@pytest.mark.parametrize("value", [SECRET])
def test_a(value):
    assert value == ""
"""
    ).require_sound()

    assert files_with(run.folder, SECRET) == []


def test_why_a_file_cannot_be_collected_is_masked_in_the_terminal(suite, planted):
    run = suite('import os\nraise RuntimeError(os.environ["PLANTED_SECRET"])\n')

    assert run.exit_code == 2
    assert not holds(run.output.encode(), SECRET)
    assert files_with(run.folder, SECRET) == []


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one worker"])
def test_a_secret_that_a_test_learns_is_masked_also_in_what_was_written_before(suite, workers):
    run = suite(
        """
        from gatehouse.run import required_run

        def test_a(evidence):
            evidence.attach("a.txt", "the code is learned-late-4711")
            evidence.event("attachment", name="learned-late-4711", path="", media_type="")

        def test_b(evidence, request):
            required_run(request.config).redactor.add("learned-late-4711")
            print("learned-late-4711")
            assert False, "learned-late-4711"
        """,
        *workers,
    ).require_sound()

    assert files_with(run.folder, "learned-late-4711") == []
    assert "learned-late-4711" not in run.output.split("captured stdout")[0]


def test_a_secret_that_is_written_at_the_very_end_leaves_the_bundle_without_a_manifest(suite, planted):
    run = suite(
        "def test_a():\n    pass\n",
        files={
            "conftest.py": """
import os
from gatehouse.evidence import recorder

original = recorder.write_junit

def late(path, document):
    original(path, document)
    (path.parent / "late.txt").write_text(os.environ["PLANTED_SECRET"])

recorder.write_junit = late
"""
        },
    )

    assert run.exit_code == 3
    assert not (run.folder / "manifest.json").exists()
    assert "a known secret is in late.txt" in run.output


#: Made here, so that the sources in a trace do not hold them.
SESSION, TYPED = f"session-{uuid.uuid4().hex}", f'typed "{uuid.uuid4().hex}"+9/x'

PAGE = b"""<!doctype html><title>Sign in</title><form method=post action=/login>
<label>User <input name=user></label><label>Password <input type=password name=password></label>
<button>Sign in</button></form>"""


@pytest.fixture
def site():
    """A page with a form for a password, which says what was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, content):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Set-Cookie", f"sid={SESSION}")
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            self.answer(PAGE)

        def do_POST(self):
            self.answer(b"<p>" + self.rfile.read(int(self.headers["Content-Length"])) + b"</p>")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(find_browser() is None, reason="there is no browser")
@pytest.mark.parametrize("known", [True, False], ids=["declared", "undeclared"])
def test_a_real_trace_and_har_hold_no_typed_password_and_can_still_be_read(tmp_path, site, known):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser())
        context = browser.new_context(record_har_path=tmp_path / "journey.har")
        context.tracing.start(screenshots=True, snapshots=True, sources=True)
        page = context.new_page()
        page.goto(site)
        page.get_by_label("User").fill("bob")
        page.get_by_label("Password").fill(TYPED)
        page.get_by_role("button").click()
        page.get_by_text("user=bob").wait_for()
        page.goto(site)
        context.tracing.stop(path=tmp_path / "trace.zip")
        context.close()
        browser.close()
    before = zipfile.ZipFile(tmp_path / "trace.zip").namelist()
    assert files_with(tmp_path, TYPED) == ["journey.har", "trace.zip"]

    done = redact_files(tmp_path, Redactor([TYPED] if known else []))

    assert done.withheld == []
    assert files_with(tmp_path, SESSION) == []
    assert files_with(tmp_path, TYPED) == []
    json.loads((tmp_path / "journey.har").read_text())
    with zipfile.ZipFile(tmp_path / "trace.zip") as trace:
        assert trace.testzip() is None
        assert trace.namelist() == before
        lines = [
            json.loads(line)
            for name in ("trace.trace", "trace.network")
            for line in io.BytesIO(trace.read(name))
        ]
        events = {line["type"] for line in lines}
        assert {"before", "after", "frame-snapshot", "resource-snapshot"} <= events
        for name in _bodies(lines):
            assert f"resources/{name}" in before


def _bodies(value):
    """Names of bodies to which the events of a trace point."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("_sha1", "_file") and isinstance(item, str):
                yield item.removeprefix("resources/")
            yield from _bodies(item)
    elif isinstance(value, list):
        for item in value:
            yield from _bodies(item)
