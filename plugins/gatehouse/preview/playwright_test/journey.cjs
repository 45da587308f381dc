// In the processes that run tests: what requests carry, and what goes wrong in the browser beside the test itself.
// Nothing here may fail a test.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

/** Entries of a kind that are kept for one attempt. */
const LIMIT = 50;
const TEXT_LIMIT = 2000;

/** `ask`, whose answers are noted. Playwright passes over frames of Node.js when it says where an error is. */
const noting = vm.runInThisContext(
  '(ask, note) => async (...words) => { const answer = await ask(...words); note(answer); return answer; }',
  { filename: 'node:gatehouse' },
);

let api; // the project's own @playwright/test
const counts = new Map();

/** Watch every browser and context that is made from here on. */
function watch(given) {
  quietly(() => {
    api = require(given.package);
    for (const name of ['chromium', 'firefox', 'webkit'])
      watchBrowserType(api[name], given);
    const request = api.request;
    const newContext = request.newContext.bind(request);
    request.newContext = async options => watchedRequests(await newContext(withTrace(options, given)), given);
  });
}

function watchBrowserType(type, given) {
  for (const name of ['launch', 'connect', 'connectOverCDP']) {
    const original = type[name].bind(type);
    type[name] = async (...parameters) => watchedBrowser(await original(...parameters), given);
  }
  const persistent = type.launchPersistentContext.bind(type);
  type.launchPersistentContext = async (folder, options) =>
    watchedContext(await persistent(folder, { ...options, extraHTTPHeaders: carrying(options?.extraHTTPHeaders, given) }), given);
}

function watchedBrowser(browser, given) {
  quietly(() => {
    const newContext = browser.newContext.bind(browser);
    browser.newContext = async options => watchedContext(await newContext(withHeaders(options, given)), given);
  });
  return browser;
}

/** Options that bring headers of their own would lose those of the configuration. */
function withHeaders(options, given) {
  return options?.extraHTTPHeaders ? { ...options, extraHTTPHeaders: carrying(options.extraHTTPHeaders, given) } : options;
}

/** Requests without a browser ask nobody for permission, so they carry the headers wherever they go. */
function withTrace(options, given) {
  if (given.correlation.send === 'none')
    return options;
  let configured = {};
  quietly(() => (configured = api.test.info().project.use.extraHTTPHeaders));
  const { traceparent, baggage } = current(given);
  return { ...options, extraHTTPHeaders: { ...configured, ...options?.extraHTTPHeaders, traceparent, baggage } };
}

/** Requests of pages to the preview carry the headers, others do not: their servers may not permit them (CORS). */
async function routed(context, given) {
  try {
    await context.route(
      address => given.addresses.includes(address.origin),
      route => {
        const { traceparent, baggage } = current(given);
        return route.fallback({ headers: { traceparent, baggage, ...route.request().headers() } });
      },
    );
  } catch {
    // as with all that is noted beside a test
  }
}

async function watchedContext(context, given) {
  if (given.correlation.send === 'preview')
    await routed(context, given);
  quietly(() => {
    watchedRequests(context.request, given);
    const setHeaders = context.setExtraHTTPHeaders.bind(context);
    context.setExtraHTTPHeaders = headers => setHeaders(carrying(headers, given));
    context.on('console', message => {
      if (message.type() === 'error') {
        const { url, lineNumber } = message.location();
        keep(given, 'console', { type: 'error', text: message.text(), location: url ? `${url}:${lineNumber + 1}` : '' });
      }
    });
    context.on('requestfailed', request =>
      keep(given, 'requests', { method: request.method(), url: request.url(), failure: request.failure()?.errorText ?? 'failed' }));
    context.on('response', response => {
      if (response.status() >= 400)
        keep(given, 'requests', { method: response.request().method(), url: response.url(), status: response.status() });
    });
    context.on('page', page => watchPage(page, given));
    for (const page of context.pages())
      watchPage(page, given);
  });
  return context;
}

/** Requests without a page: who answers them is noted. Playwright says of the test's own line that it asked. */
function watchedRequests(requests, given) {
  quietly(() => (requests.fetch = noting(requests.fetch.bind(requests), answer => lookWhere(given, answer.url()))));
  return requests;
}

/** Pages count, not requests for them: a download from elsewhere, or what a test's route holds back, opens none. */
function watchPage(page, given) {
  lookWhere(given, page.url()); // a pop-up has been somewhere before it is made known
  page.on('pageerror', error => keep(given, 'console', { type: 'uncaught', text: String(error?.message ?? error), location: page.url() }));
  page.on('crash', () => keep(given, 'console', { type: 'crash', text: 'the page crashed', location: page.url() }));
  page.on('framenavigated', frame => {
    if (!frame.parentFrame())
      lookWhere(given, frame.url());
  });
}

function lookWhere(given, address) {
  quietly(() => {
    const { protocol, origin } = new URL(address);
    if (given.allowed_origins.length && /^https?:$/.test(protocol) && !given.allowed_origins.includes(origin))
      keep(given, 'left', address);
  });
}

/** Write down an entry for the attempt that runs now; the reporter reads them when it ends. */
function keep(given, kind, entry) {
  quietly(() => {
    const file = journeyFile(given, api.test.info().testId, api.test.info().retry);
    const kept = counts.get(file + kind) ?? 0;
    if (kept >= LIMIT)
      return;
    counts.set(file + kind, kept + 1);
    const shortened = typeof entry === 'string' ? entry.slice(0, TEXT_LIMIT) : { ...entry };
    for (const name of ['text', 'url']) {
      if (shortened[name])
        shortened[name] = shortened[name].slice(0, TEXT_LIMIT);
    }
    fs.appendFileSync(file, JSON.stringify({ kind, entry: shortened }) + '\n');
  });
}

/** `headers` with those by which the requests of a test are known. They are made anew each time they are read. */
function carrying(headers, given) {
  const result = { ...headers };
  if (given.correlation.send === 'all') {
    for (const name of ['traceparent', 'baggage'])
      Object.defineProperty(result, name, { enumerable: true, configurable: true, get: () => current(given)[name] });
  }
  return result;
}

function current(given) {
  let item = '';
  let attempt = 1;
  quietly(() => {
    const info = api.test.info();
    item = given.items[info.testId] ?? info.testId;
    attempt = info.retry + 1;
  });
  return correlation(given, item, attempt);
}

/** W3C trace context and baggage of one attempt. */
function correlation(given, item, attempt) {
  const seed = `${given.run_id}\n${item}\n${attempt}`;
  const trace = digest(seed).slice(0, 32);
  const names = given.correlation;
  return {
    trace,
    traceparent: `00-${trace}-${digest(`${seed}\nspan`).slice(0, 16)}-01`,
    baggage: `${names.run}=${encodeURIComponent(given.run_id)},${names.test}=${encodeURIComponent(item)}`,
  };
}

function digest(text) {
  return crypto.createHash('sha256').update(text).digest('hex');
}

function journeyFile(given, testId, retry) {
  return path.join(given.journeys, `${testId}-${retry}.jsonl`);
}

/** What was kept for an attempt. */
function journeyOf(given, testId, retry) {
  const { trace, baggage } = correlation(given, given.items[testId] ?? testId, retry + 1);
  const known = given.correlation.send === 'none' ? {} : { trace_id: trace, baggage };
  const journey = {
    ...known,
    console: [],
    requests: [],
    left: [],
  };
  quietly(() => {
    const lines = fs.readFileSync(journeyFile(given, testId, retry), 'utf8').split('\n').filter(Boolean);
    for (const { kind, entry } of lines.map(line => JSON.parse(line))) {
      if (kind !== 'left' || !journey.left.includes(entry))
        journey[kind].push(entry);
    }
  });
  return journey;
}

function quietly(action) {
  try {
    action();
  } catch {
    // A test must not fail for what is only noted beside it.
  }
}

module.exports = { carrying, correlation, journeyOf, watch };
