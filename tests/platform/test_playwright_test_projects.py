"""`pytest -m preview` on projects of Playwright Test, with real Node.js and the Playwright that bootstrap installs."""

import hashlib
import json
import os
import signal
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from tests.platform.conftest import eventually
from tests.support.journeys import Checkout, Site

RETRYING = """
    import { defineConfig } from '@playwright/test';
    export default defineConfig({
      testDir: 'specs', timeout: 10_000, fullyParallel: true,
      webServer: { command: 'false', url: 'http://127.0.0.1:9' },
      projects: [{ name: 'chromium', use: { browserName: 'chromium' } }],
    });
"""

OUTCOMES = """
    import { expect, test } from '@playwright/test';

    test.describe('again', () => {
      test.describe.configure({ retries: 1 });
      test('passes only on its retry', async ({}, info) => {
        await info.attach('notes', { body: 'what it saw', contentType: 'text/plain' });
        info.attachments.push({ name: 'manifest', path: 'package.json', contentType: 'application/json' });
        expect(info.retry).toBe(1);
      });
    });
    test.describe('in the browser', () => {
      test('shows the heading', async ({ page, request }) => {
        await page.goto('/noisy');
        await request.get('/from-the-api');
        await expect(page.getByRole('heading')).toHaveText('Goodbye', { timeout: 200 });
      });
    });
    test('is led away', async ({ page }) => {
      await page.goto('/away');
    });
    test('asks elsewhere', async ({ request }) => {
      await expect(await request.get('/away')).toBeOK();
    });
    test.describe('of another environment', () => {
      test.use({ baseURL: process.env.ELSEWHERE });
      test('is asked beside a page', async ({ page }) => {
        await expect(await page.request.post('/', { failOnStatusCode: false })).not.toBeOK();
      });
    });
    test('opens a page by a link without an opener', async ({ page, context }) => {
      await page.goto('/');
      const opened = context.waitForEvent('page');
      await page.evaluate(() => { window.open('/opened', '_blank', 'noopener'); });
      await expect(await opened).toHaveTitle('Site');
    });
    test('downloads from elsewhere', async ({ page }) => {
      await page.goto('/');
      await page.route('http://files.example.com/**', route => route.fulfill({
        headers: { 'content-type': 'application/zip', 'content-disposition': 'attachment' }, body: 'x',
      }));
      const download = page.waitForEvent('download');
      await page.evaluate(() => { location.href = 'http://files.example.com/lamps.zip'; });
      await (await download).path();
    });
    test('opens a pop-up elsewhere', async ({ page }) => {
      await page.goto('/');
      const opened = page.waitForEvent('popup');
      await page.evaluate(url => { window.open(url); }, process.env.ELSEWHERE);
      await expect(await opened).toHaveTitle('Site');
    });
    test('is known to fail', async () => {
      test.fail(true, 'the price is wrong');
      expect(1).toBe(2);
    });
    test('is known to fail, and passes', async () => { test.fail(); });
    test('is left out', async () => { test.skip(true, 'not on this plan'); });
    test.fixme('is broken', async () => {});
    test('takes too long', async () => {
      test.setTimeout(300);
      await new Promise(done => setTimeout(done, 10_000));
    });
    test('tells a secret', async () => {
      console.log('the password is ' + process.env.SHOP_PASSPHRASE);
      expect(process.env.SHOP_PASSPHRASE).toBe('');
    });
    test('looks into its environment', async ({ baseURL }) => {
      expect(process.env.SOME_TOKEN).toBeUndefined();
      expect(process.env.TOKEN_OF_ITS_OWN).toBe('7-cccc'.padEnd(42, 'c'));
      expect(process.env.BASE_URL).toBe(baseURL);
      expect(process.env.CI).toBeTruthy();
    });
"""

SERIAL = """
    import { expect, test } from '@playwright/test';
    import fs from 'node:fs';

    test.describe.serial('in order', () => {
      test('first', async () => {});
      test('second', async () => { expect(1).toBe(2); });
      test('third', async () => {});
    });
    test.describe('with a set-up', () => {
      test.describe.configure({ mode: 'default' });
      test.beforeAll(() => { throw new Error('no database'); });
      test('needs it', async () => {});
    });
    test('writes into the checkout', async () => { fs.writeFileSync('../left-over.txt', 'x'); });
"""

PASSPHRASE = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def site():
    with Site().serving() as site:
        yield site


@pytest.fixture
def checkout(tmp_path, site):
    return Checkout(tmp_path, site)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, site):
    """One run of tests of every kind."""
    checkout = Checkout(tmp_path_factory.mktemp("outcomes"), site)
    checkout.add(
        "e2e",
        {"outcomes.spec.ts": OUTCOMES, "serial.spec.ts": SERIAL},
        config=RETRYING,
        workers=2,
        environment={
            "SHOP_PASSPHRASE": PASSPHRASE,
            "TOKEN_OF_ITS_OWN": "{number}-{commit}",
            "ELSEWHERE": f"http://localhost:{site.port}",
        },
    )
    return checkout.run("-rA", SOME_TOKEN="planted-secret", SHOP_SECRET=PASSPHRASE, CI="true")


def test_each_test_is_an_item_with_the_outcome_that_playwright_gives_it(outcome):
    assert outcome.code == 1
    assert {name.removesuffix(" [chromium]"): status for name, status in outcome.statuses.items()} == {
        "specs/outcomes.spec.ts > again > passes only on its retry": "passed",
        "specs/outcomes.spec.ts > in the browser > shows the heading": "failed",
        "specs/outcomes.spec.ts > is led away": "failed",
        "specs/outcomes.spec.ts > asks elsewhere": "failed",
        "specs/outcomes.spec.ts > of another environment > is asked beside a page": "failed",
        "specs/outcomes.spec.ts > opens a page by a link without an opener": "passed",
        "specs/outcomes.spec.ts > downloads from elsewhere": "passed",
        "specs/outcomes.spec.ts > opens a pop-up elsewhere": "failed",
        "specs/outcomes.spec.ts > is known to fail": "xfailed",
        "specs/outcomes.spec.ts > is known to fail, and passes": "failed",
        "specs/outcomes.spec.ts > is left out": "skipped",
        "specs/outcomes.spec.ts > is broken": "skipped",
        "specs/outcomes.spec.ts > takes too long": "failed",
        "specs/outcomes.spec.ts > tells a secret": "failed",
        "specs/outcomes.spec.ts > looks into its environment": "passed",
        "specs/serial.spec.ts > in order > first": "passed",
        "specs/serial.spec.ts > in order > second": "failed",
        "specs/serial.spec.ts > in order > third": "failed",
        "specs/serial.spec.ts > with a set-up > needs it": "failed",
        "specs/serial.spec.ts > writes into the checkout": "passed",
    }
    assert outcome.of("known to fail [").last.reason == "the price is wrong"
    assert outcome.of("left out").last.reason == "Skipped: not on this plan"


def test_a_test_that_passes_on_a_retry_is_flaky_everywhere(outcome):
    flaky = outcome.of("passes only on its retry")

    assert [str(each.status) for each in flaky.attempts] == ["failed", "passed"]
    assert flaky.attempts[0].failures[0].summary.startswith("expect(received).toBe(expected)")
    assert outcome.results.flaky == [flaky]
    assert f"flaky: 1 passed only on a retry: {flaky.id}" in outcome.digest
    assert len([*ET.parse(outcome.bundle / "junit.xml").iter("flakyFailure")]) == 1
    assert {each["name"] for each in flaky.attachments} >= {"notes (attempt 1)", "notes (attempt 2)"}
    (manifest,) = [each["path"] for each in flaky.attachments if each["name"] == "manifest (attempt 2)"]
    assert json.loads((outcome.bundle / manifest).read_text()) == {"name": "journeys"}
    assert "; it is tried again (" in outcome.output


def line_of(words):
    """The line of the spec, as it is written, that holds these words."""
    (found,) = [number for number, line in enumerate(OUTCOMES.splitlines()) if words in line]
    return found + 1


def test_a_failure_is_told_in_playwrights_words_with_place_and_commands(outcome):
    failure = outcome.of("shows the heading").failure

    assert failure.summary == "expect(locator).toHaveText(expected) failed"
    assert failure.failure_class == "product"
    assert 'Expected: "Goodbye"' in failure.details
    assert 'Received: "Hello"' in failure.details
    assert f"where: e2e/specs/outcomes.spec.ts:{line_of('Goodbye')}" in failure.details
    assert "\x1b" not in failure.text
    assert f"pytest -m preview '{outcome.of('shows the heading').id}'" in failure.next_step
    headed = f"npx playwright test specs/outcomes.spec.ts:{line_of('shows the heading')} --headed --trace on"
    assert f"cd e2e && PLAYWRIGHT_TEST_BASE_URL={outcome.base_url} {headed}" in failure.next_step


def test_the_trace_the_screenshot_and_the_video_of_a_failure_are_in_the_bundle_and_in_allure(outcome):
    test = outcome.of("shows the heading")

    kinds = {each["name"]: each for each in test.attachments}
    assert {"trace", "screenshot", "video"} <= kinds.keys()
    for each in kinds.values():
        assert (outcome.bundle / each["path"]).stat().st_size > 0
        assert each["path"].startswith("playwright/e2e-playwright.config.ts/")
    results = [
        json.loads(path.read_text()) for path in (outcome.bundle / "allure-results").glob("*-result.json")
    ]
    (result,) = [each for each in results if test.id in [label["value"] for label in each["labels"]]]
    assert result["status"] == "failed"
    assert {"trace", "screenshot", "video"} <= {each["name"] for each in result["attachments"]}


def test_each_request_says_which_attempt_of_which_test_sent_it(outcome, site):
    test = outcome.of("shows the heading")
    run_id = outcome.events[0]["run_id"]
    trace = hashlib.sha256(f"{run_id}\n{test.id}\n1".encode()).hexdigest()[:32]

    for path in ("/noisy", "/missing", "/from-the-api"):
        (headers,) = site.asked(path)
        assert headers["traceparent"].split("-")[:2] == ["00", trace]
        baggage = dict(part.split("=") for part in headers["baggage"].split(","))
        assert urllib.parse.unquote(baggage["gatehouse.test_id"]) == test.id
        assert urllib.parse.unquote(baggage["gatehouse.run_id"]) == run_id
    assert outcome.journeys("shows the heading")[0]["trace_id"] == trace


def test_what_goes_wrong_in_the_browser_beside_the_test_is_in_the_record(outcome, site):
    (journey,) = outcome.journeys("shows the heading")

    assert journey["console"][0]["text"] == "the page complains"
    assert journey["requests"] == [{"method": "GET", "url": f"{site.url}/missing", "status": 404}]
    assert journey["left"] == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("is led away", "elsewhere"),
        ("asks elsewhere", "elsewhere"),
        ("is asked beside a page", ""),
        ("pop-up elsewhere", ""),
    ],
)
def test_a_journey_that_a_foreign_origin_answers_is_not_a_pass(outcome, site, name, path):
    failure = outcome.of(name).failure

    assert failure.failure_class == "untrusted"
    assert failure.summary == f"the journey left the preview: http://localhost:{site.port}/{path}"


def test_what_did_not_run_is_a_failure_that_says_why(outcome):
    third = outcome.of("in order > third").failure

    assert third.summary == "it did not run"
    assert third.details.startswith("seen: ")
    assert outcome.of("needs it").failure.summary == "no database"


def test_a_secret_that_a_test_prints_is_masked_in_the_bundle(outcome):
    secret = PASSPHRASE.encode()

    texts = [
        path
        for path in outcome.bundle.rglob("*")
        if path.is_file() and path.suffix not in (".zip", ".png", ".webm")
    ]
    assert [path.name for path in texts if secret in path.read_bytes()] == []
    assert "[redacted]" in outcome.of("tells a secret").last.output["stdout"]


def test_what_a_test_writes_into_the_checkout_is_named(outcome):
    assert outcome.problems == ["the tests of e2e/playwright.config.ts changed the checkout: left-over.txt"]


def test_a_web_server_of_the_project_is_not_started_and_a_note_says_so(outcome):
    assert "e2e/playwright.config.ts: its webServer is not started" in outcome.digest


def test_the_time_of_a_test_is_its_own_and_not_that_of_waiting_for_it(outcome):
    assert outcome.of("looks into its environment").seconds < 5


ONE = "import { test } from '@playwright/test'; test('one', async () => {});\n"


def test_projects_that_cannot_be_listed_fail_the_run_before_anything_is_tested(checkout):
    checkout.add(
        "broken", {"a.spec.ts": ONE}, config="export default {\n  testDir: 'specs',\n  use: {{\n};\n"
    )
    checkout.add("empty", {"helper.ts": "export {};\n"})
    checkout.add("focused", {"a.spec.ts": ONE + "test.only('only this', async () => {});\n"})
    checkout.add("bare", {"a.spec.ts": ONE})
    (checkout.folder / "bare" / "node_modules").unlink()
    checkout.write({"bare/package-lock.json": "{}"})

    outcome = checkout.run()

    assert outcome.code == 2, outcome.output
    broken, empty, focused, bare = outcome.results.collection_errors
    assert broken.summary.startswith("broken/playwright.config.ts cannot be used: SyntaxError")
    assert "broken/playwright.config.ts:3" in broken.details
    assert (empty.summary, empty.failure_class) == ("empty/playwright.config.ts has no tests", "product")
    assert "item focused with '.only' is not allowed" in focused.summary
    assert "focused/specs/a.spec.ts:2" in focused.details
    assert bare.summary.endswith("bare are not installed: there is no @playwright/test")
    assert bare.failure_class == "environment"
    assert bare.next_step == f"run `npm ci` in {checkout.folder}/bare"
    assert {each.get("type") for each in ET.parse(outcome.bundle / "junit.xml").iter("error")} >= {
        "product: ProductFailure",
        "environment: NotInstalled",
    }


SLEEPING = """
    import { test } from '@playwright/test';
    test('quick', async () => {});
    test('slow', async () => { await new Promise(done => setTimeout(done, 60_000)); });
    test('after it', async () => {});
"""


def test_a_run_that_is_killed_in_the_middle_passes_nothing_that_has_not_ended(checkout):
    checkout.add("e2e", {"a.spec.ts": SLEEPING}, workers=1)
    process = checkout.begin()

    def slow_has_begun():
        for path in checkout.folder.glob("reports/2*/playwright/*/results-1.jsonl"):
            events = [json.loads(line) for line in path.read_text().splitlines()]
            if len([each for each in events if each["event"] == "test_begin"]) == 2:
                return events[0]["pid"]
        return None

    os.kill(eventually(slow_has_begun, 60), signal.SIGKILL)
    outcome = checkout.end(process)

    assert outcome.code == 1, outcome.output
    assert [status for _, status in sorted(outcome.statuses.items())] == ["failed", "passed", "failed"]
    assert "had begun and has no result: Playwright Test was killed by signal 9 (SIGKILL)" in (
        outcome.of("> slow").failure.summary
    )
    assert outcome.of("after it").failure.summary.startswith("it did not run: Playwright Test was killed")
    assert outcome.problems == [
        "Playwright Test of e2e/playwright.config.ts was killed by signal 9 (SIGKILL)"
    ]
    rows = {each.get("name"): each for each in ET.parse(outcome.bundle / "junit.xml").iter("testcase")}
    assert rows["run-problem-1"].find("error").get("message") == outcome.problems[0]


def test_tests_that_are_not_the_same_when_listed_and_when_run_fail_the_run(checkout):
    specs = "test('at ' + Math.random(), async () => {});\n"
    checkout.add("e2e", {"a.spec.ts": ONE + specs})

    outcome = checkout.run()

    assert outcome.code == 1
    assert sorted(outcome.statuses.values()) == ["failed", "passed"]
    assert outcome.problems == ["e2e/playwright.config.ts runs other tests than it lists"]
    assert "missing: specs/a.spec.ts > at 0." in outcome.results.problems[0].details
    assert "extra: specs/a.spec.ts > at 0." in outcome.results.problems[0].details


MODULE = """
    import { defineConfig } from '@playwright/test';
    const folder = await Promise.resolve('specs');
    export default defineConfig({
      testDir: folder,
      globalSetup: './set-up.ts',
      use: { extraHTTPHeaders: { 'x-own': 'kept' } },
      projects: [{ name: 'one' }, { name: 'two' }],
    });
"""

STATE = """
    import { expect, test } from '@playwright/test';
    for (const name of ['lamps', 'chairs', 'tables'])
      test(`asks for ${name}`, async ({ request }, info) => {
        expect((await request.get(`/${info.project.name}/${name}`)).status()).toBe(200);
        expect(info.config.workers).toBe(1);
      });
"""

AGAIN = """
    test.describe(() => {
      test.describe.configure({ retries: 1 });
      test('at the second try', async ({}, info) => { expect(info.retry).toBe(1); });
    });
"""


def test_shards_and_workers_share_a_project_of_es_modules_that_starts_signed_in(checkout, site):
    checkout.add(
        "e2e",
        {
            "a.spec.ts": STATE,
            "b.spec.ts": STATE.replace("asks", "asks again").replace("${name}`", "${name}/again`") + AGAIN,
        },
        config=MODULE,
        package={"type": "module"},
        shards=2,
        workers=1,
        persona="owner",
    )
    cookie = {"name": "session", "value": "of-the-owner", "domain": "127.0.0.1", "path": "/", "expires": -1}
    cookie |= {"httpOnly": False, "secure": False, "sameSite": "Lax"}
    checkout.write({"owner.json": json.dumps({"cookies": [cookie], "origins": []})})
    checkout.write({"e2e/set-up.ts": "export default () => { console.log('set up'); };\n"})

    outcome = checkout.run("-n", "2")

    assert outcome.code == 0, outcome.output
    assert len(outcome.results.tests) == 14
    flaky = {
        test.properties["project"]: [str(each.status) for each in test.attempts]
        for test in outcome.results.flaky
    }
    assert flaky == {"one": ["failed", "passed"], "two": ["failed", "passed"]}
    assert {test.properties["shard"] for test in outcome.results.tests.values()} == {"1", "2"}
    assert {test.properties["project"] for test in outcome.results.tests.values()} == {"one", "two"}
    logs = [*(outcome.bundle / "attachments").glob("playwright-test-*.log")]
    assert len(logs) == 2
    assert all("set up" in path.read_text() for path in logs)
    (headers,) = site.asked("/one/lamps/again")
    assert headers["x-own"] == "kept"
    assert headers["cookie"] == "session=of-the-owner"
    assert "gatehouse.test_id=" in headers["baggage"]


def test_only_what_is_chosen_is_run(checkout, site):
    named = STATE.replace("/${info.project.name}", "/chosen")
    checkout.add("e2e", {"a.spec.ts": named, "b.spec.ts": ONE})
    checkout.add("other", {"b.spec.ts": ONE})

    outcome = checkout.run("e2e/playwright.config.ts::specs/b.spec.ts > one")
    assert outcome.code == 0, outcome.output
    assert outcome.statuses == {"specs/b.spec.ts > one": "passed"}
    assert not site.asked("/chosen/lamps")

    outcome = checkout.run("-k", "chairs")
    assert outcome.code == 0, outcome.output
    assert outcome.statuses == {"specs/a.spec.ts > asks for chairs": "passed"}
    assert {path for path, _ in site.requests if path.startswith("/chosen")} == {
        f"/chosen/{name}" for name in ("lamps", "chairs", "tables")
    }, "all that the loop makes are on one line; those that are not chosen are run and passed over"
