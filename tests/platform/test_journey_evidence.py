"""What runs of journeys leave behind: attempts, artifacts, headers, and no secrets."""

import json
import subprocess
import xml.etree.ElementTree as ET
import zipfile

import pytest

from tests.platform.journeys import Journeys, allure_results, requests_to

SECRET = "planted-in-the-environment-1"


@pytest.fixture
def journeys(tmp_path, platform):
    """Runs a suite of this text on the happy platform."""
    return lambda tests, **settings: Journeys(tmp_path, platform, tests, **settings)


MANY = """
@pytest.mark.xdist_group("one")
@pytest.mark.persona("owner")
def test_the_cart_of_one(page, preview):
    adds_a_lamp(page.request, preview.urls["platform"], "one", "other")


@pytest.mark.xdist_group("other")
@pytest.mark.persona("owner")
def test_the_cart_of_the_other(page, preview):
    adds_a_lamp(page.request, preview.urls["platform"], "other", "one")


def adds_a_lamp(request, url, own, other):
    def lamps():
        return request.get(url + "/api/cart").json()["items"].get("lamp", 0)

    before = lamps()
    meets(own, other, "before")
    assert request.post(url + "/cart/add/lamp").ok
    meets(own, other, "after")
    assert lamps() == before + 1


def meets(own, other, when):
    open(f"{own}-{when}.met", "w").close()
    deadline = time.monotonic() + 60
    while not os.path.exists(f"{other}-{when}.met"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.flaky(reruns=1)
def test_that_passes_at_the_second_attempt(page, preview):
    page.goto(preview.urls["www"])
    first = not os.path.exists("tried")
    open("tried", "w").close()
    assert not first, "the first attempt"


@pytest.mark.persona("owner")
def test_a_list_goes_up_and_the_orders_come_down(page, preview):
    page.goto(preview.urls["platform"])
    lines = {"name": "list.csv", "mimeType": "text/csv", "buffer": b"chair,3\\n"}
    page.get_by_label("List as CSV").set_input_files(lines)
    page.get_by_role("button", name="Import").click()
    page.get_by_role("button", name="Place the order").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert ",olga,chair,3," in download.value.path().read_text()


def test_a_password_is_typed(page, preview, personas):
    owner = personas.persona("owner")
    sign_in(page, preview, owner)
    page.goto(preview.urls["platform"] + "/orders?note=" + os.environ["SHOP_SECRET"])
    page.evaluate("text => console.error(text)", owner.password)
    print(owner.password, os.environ["SHOP_SECRET"])
    expect(page.get_by_text(owner.password)).to_be_visible(timeout=100)
"""


def test_what_journeys_on_two_workers_leave_behind(journeys, platform):
    suite = journeys(MANY)
    suite.environment["SHOP_SECRET"] = SECRET
    before = {path.name for path in suite.folder.iterdir()}

    with requests_to(platform) as asked:
        ran = suite.run("-n", "2", "--dist", "loadgroup", "--gate-har", "retain-on-failure")

    # Those who share a cart see each other's changes, and nobody hides it.
    assert ran.classes == {
        "test_the_cart_of_one": "product",
        "test_the_cart_of_the_other": "product",
        "test_that_passes_at_the_second_attempt": "passed",
        "test_a_list_goes_up_and_the_orders_come_down": "passed",
        "test_a_password_is_typed": "product",
    }, ran.output
    assert "deployed system at that moment" in ran.test("test_the_cart_of_one").report
    # What is downloaded and typed stays out of the checkout.
    made = {path.name for path in suite.folder.iterdir() if path.suffix != ".met"} - before
    assert made == {"reports", "cache", "tried"}
    # Each context of a test that failed has an HTTP archive, those of others have none.
    assert len(ran.artifacts("test_a_password_is_typed", "HAR")) == 1
    assert ran.artifacts("test_a_list_goes_up_and_the_orders_come_down", "HAR") == []
    require_both_attempts(ran)
    require_no_secret(ran, SECRET, *platform.credentials.passwords.values())
    # Every request to the preview carries the trace of its test.
    traces = {each["trace_id"] for each in ran.events if each["event"] == "journey"}
    sent = {headers["traceparent"].split("-")[1] for _, _, headers in asked if "traceparent" in headers}
    assert len(traces) == 6, "one of each attempt"
    assert sent == traces


def require_both_attempts(ran):
    """A test that passed at its second attempt is shown for what it is, with the first one's artifacts."""
    name = "test_that_passes_at_the_second_attempt"
    test = ran.test(name)
    assert [str(each.status) for each in test.attempts] == ["failed", "passed"]
    first, second = ran.journeys(name)
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert first["trace_id"] != second["trace_id"]
    for kind in ("screenshot", "trace", "video", "HAR"):
        (kept,) = ran.artifacts(name, kind)
        assert kept.stat().st_size > 0
    assert "failed: the first attempt" in test.report
    junit = ET.parse(ran.bundle / "junit.xml")
    (row,) = [each for each in junit.iter("testcase") if each.get("name", "").startswith(name)]
    assert row.find("flakyFailure").get("message") == "the first attempt"
    assert junit.find("testsuite").get("flakes") == "1"
    names = [
        attachment["name"]
        for result in allure_results(ran.bundle)
        if result["fullName"].endswith(name)
        for attachment in result.get("attachments", [])
    ]
    assert {"screenshot", "trace"} <= set(names)
    assert names.count("trace") == 1


def require_no_secret(ran, *secrets):
    """No text of the bundle has one of them, nor has what was printed."""
    for secret in secrets:
        assert secret not in ran.output
        for path, text in ran.texts().items():
            assert secret not in text, f"{secret} in {path}"
    assert "[redacted]" in ran.test("test_a_password_is_typed").report


def test_no_archive_of_a_journey_holds_a_secret(journeys, platform):
    suite = journeys(MANY)
    suite.environment["SHOP_SECRET"] = SECRET

    ran = suite.run("-k", "test_a_password_is_typed", "--gate-har", "on")

    secrets = [SECRET.encode(), *(each.encode() for each in platform.credentials.passwords.values())]
    (trace,) = ran.artifacts("test_a_password_is_typed", "trace")
    with zipfile.ZipFile(trace) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held
    assert [name for name, content in held.items() if any(each in content for each in secrets)] == []
    assert [
        path for path in ran.bundle.rglob("*.har") if any(each in path.read_bytes() for each in secrets)
    ] == []


CORRELATED = """
import contextlib, http.server

SEEN = []


class Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        SEEN.append(dict(self.headers))
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def elsewhere():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_page_asks_elsewhere(page, playwright, preview, elsewhere):
    page.goto(preview.urls["www"])
    ask = "url => fetch(url).then(answer => answer.text(), error => `${error}`)"
    print("answer:", page.evaluate(ask, elsewhere))
    refused = 'url => fetch(url, {headers: {"x-asks": "first"}}).then(answer => "let in", error => "refused")'
    print("preflight:", page.evaluate(refused, elsewhere))
    print("sent:", any("traceparent" in {key.lower() for key in each} for each in SEEN))
    requests = playwright.request.new_context(base_url=preview.urls["www"])
    assert requests.get("/version.json").ok
    requests.dispose()
    pytest.fail("to see what was printed")
"""


# While requests are intercepted, Playwright answers those that ask for permission (CORS) in the server's place.
@pytest.mark.parametrize(
    ("send", "printed", "correlated"),
    [
        ("preview", ["answer: hello", "preflight: let in", "sent: False"], True),
        ("all", ["answer: TypeError: Failed to fetch", "preflight: refused", "sent: False"], True),
        ("none", ["answer: hello", "preflight: refused", "sent: False"], False),
    ],
)
def test_requests_carry_the_trace_of_their_test_to_where_the_settings_say(
    journeys, platform, send, printed, correlated
):
    suite = journeys(CORRELATED, correlation={"send": send}, personas=None)

    with requests_to(platform) as asked:
        ran = suite.run()

    test = ran.test("test_a_page_asks_elsewhere")
    assert test.last.output["stdout"].splitlines() == printed, ran.output
    (journey,) = ran.journeys("test_a_page_asks_elsewhere")
    of_the_test = [headers for *_, headers in asked if not headers["user-agent"].startswith("python-httpx")]
    assert {"Playwright" in each["user-agent"] for each in of_the_test} == {True, False}, "by API and by page"
    sent = {each.get("traceparent", "--").split("-")[1] for each in of_the_test}
    assert sent == {journey.get("trace_id", "")}
    assert (sent != {""}) is correlated
    assert ("trace id" in test.report) is correlated


FAILS = """
def test_that_fails(page, preview):
    page.goto(preview.urls["www"])
    assert False, "it is wrong"
"""


def test_a_full_disk_makes_no_run_green_and_is_said(journeys, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system of one's own: {mounted.stderr.decode().strip()}")
    try:
        (small / "filler").write_bytes(bytes(980_000))
        suite = journeys(
            FAILS.replace('assert False, "it is wrong"', "pass") + FAILS.replace("that_fails", "two")
        )
        with suite.begin("--tracing", "on", "--gate-evidence", str(small / "evidence")) as process:
            output, _ = process.communicate(timeout=100)
    finally:
        subprocess.run(["umount", small], check=True)

    assert process.returncode in (1, 3), output
    assert "No space left on device" in output
    assert "passed (" not in output.rpartition("preview: ")[2]


LARGE = """
import zipfile


def test_with_a_large_trace(page, preview):
    stop = page.context.tracing.stop

    def large(path):
        stop(path=path)
        with zipfile.ZipFile(path) as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
        with open(path, "w+b") as file:
            file.truncate(200_000_000)  # a hole, which costs nothing
            with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
                for name, content in held.items():
                    archive.writestr(name, content)
                page_of_2_mb = os.urandom(1_000_000).hex().encode()
                line = b'{"type":"frame-snapshot","html":"' + page_of_2_mb + b'"}\\n'
                archive.writestr("1-trace.trace", line * 10)

    page.context.tracing.stop = large
    page.goto(preview.urls["www"])
    assert False, "it is wrong"
"""

MEASURES = """
import json, resource


def pytest_unconfigure(config):
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("used.json", "w") as file:
        json.dump({"kilobytes": used.ru_maxrss, "seconds": used.ru_utime + used.ru_stime}, file)
"""


def test_a_trace_of_200_megabytes_is_read_in_bounded_time_and_memory_and_kept_once(journeys):
    suite = journeys(LARGE, personas=None)
    (suite.folder / "conftest.py").write_text(MEASURES)

    ran = suite.run()

    (trace,) = ran.artifacts("test_with_a_large_trace", "trace")
    assert trace.stat().st_size > 200_000_000, ran.output
    assert "last steps: goto http://www-pr-7" in ran.test("test_with_a_large_trace").report
    copies = [path for path in ran.bundle.rglob("*") if path.is_file() and path.stat().st_size > 100_000_000]
    assert copies == [trace]
    used = json.loads((suite.folder / "used.json").read_text())
    assert used["seconds"] < 30
    assert used["kilobytes"] < 300_000
