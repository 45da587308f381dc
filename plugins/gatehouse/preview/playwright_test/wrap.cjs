// What a run gives to a project's own configuration. Only documented options of Playwright Test are set.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const journey = require('./journey.cjs');

const given = JSON.parse(fs.readFileSync(process.env.GATEHOUSE_PLAYWRIGHT_TEST, 'utf8'));

/** In the processes that run tests, watch the browsers from here on. */
function start(given) {
  if (process.env.TEST_WORKER_INDEX !== undefined)
    journey.watch(given);
}

/** The project's configuration with what the run gives put in place. */
function wrapped(exported, given) {
  const config = exported && typeof exported === 'object' && 'default' in exported ? exported.default : exported;
  if (!config || typeof config !== 'object')
    return config; // Playwright says what is wrong with it
  const folder = path.dirname(given.config);
  const result = {
    ...config,
    ...placed(config, folder),
    testDir: path.resolve(folder, config.testDir ?? '.'),
    use: { ...config.use, ...usedBy(config.use ?? {}, given) },
    outputDir: given.output,
    forbidOnly: true,
    updateSnapshots: 'none',
    respectGitIgnore: config.respectGitIgnore ?? !config.testDir,
    captureGitInfo: { commit: false, diff: false },
    reporter: [['list'], [path.join(__dirname, 'reporter.cjs')]],
    metadata: { ...config.metadata, gatehouse: { webServer: Boolean(config.webServer) } },
  };
  delete result.webServer; // the preview is what is tested
  delete result.shard; // what other machines would run is not left out here
  for (const script of ['globalSetup', 'globalTeardown']) {
    if (config[script])
      result[script] = Array.isArray(config[script]) ? config[script].map(each => found(each, folder)) : found(config[script], folder);
  }
  if (config.tsconfig)
    result.tsconfig = path.resolve(folder, config.tsconfig);
  if (config.projects)
    result.projects = config.projects.map(project => projectOf(project, config, folder, given));
  return result;
}

function projectOf(project, config, folder, given) {
  const use = { ...config.use, ...defined(project.use) };
  const result = { ...project, ...placed(project, folder), use: { ...project.use, ...usedBy(use, given) } };
  if (project.testDir)
    result.testDir = path.resolve(folder, project.testDir);
  delete result.outputDir;
  return result;
}

/** Places that are relative to the configuration file's folder, as absolute ones. */
function placed(config, folder) {
  const result = {};
  if (config.snapshotDir)
    result.snapshotDir = path.resolve(folder, config.snapshotDir);
  if (config.snapshotPathTemplate)
    result.snapshotPathTemplate = template(config.snapshotPathTemplate, folder);
  if (config.expect)
    result.expect = expectations(config.expect, folder);
  return result;
}

function expectations(expect, folder) {
  const result = { ...expect };
  for (const name of ['toHaveScreenshot', 'toMatchAriaSnapshot']) {
    const options = expect[name];
    if (!options)
      continue;
    result[name] = { ...options };
    if (options.pathTemplate)
      result[name].pathTemplate = template(options.pathTemplate, folder);
    if (options.stylePath)
      result[name].stylePath = [options.stylePath].flat().map(each => path.resolve(folder, each));
  }
  return result;
}

function template(text, folder) {
  return /^\{(testDir|snapshotDir)\}/.test(text) ? text : path.resolve(folder, text);
}

/** A script as Playwright finds it: a file beside the configuration, else a module. */
function found(script, folder) {
  const file = path.resolve(folder, script);
  return fs.existsSync(file) ? file : createRequire(path.join(folder, 'package.json')).resolve(script);
}

/** What is set in `use`, for a project whose options are `own`. */
function usedBy(own, given) {
  const use = {
    trace: own.trace ?? 'retain-on-failure',
    screenshot: own.screenshot ?? 'only-on-failure',
    video: own.video ?? (given.video ? 'retain-on-failure' : 'off'),
  };
  if (!given.addresses.includes(origin(own.baseURL)))
    use.baseURL = given.base_url;
  if (given.storage_state && isAnothers(own.storageState, given))
    use.storageState = given.storage_state;
  if (given.ignore_https_errors)
    use.ignoreHTTPSErrors = true;
  if ((own.browserName ?? own.defaultBrowserType ?? 'chromium') === 'chromium') {
    const executable = own.launchOptions?.executablePath ?? given.executable;
    use.launchOptions = { ...own.launchOptions, args: [...own.launchOptions?.args ?? [], ...given.arguments] };
    if (executable)
      use.launchOptions.executablePath = executable;
  }
  if (process.env.TEST_WORKER_INDEX !== undefined)
    use.extraHTTPHeaders = journey.carrying(own.extraHTTPHeaders, given);
  return use;
}

/** Whether a project starts with a state that the run replaces: none, or a file that the run does not know. */
function isAnothers(state, given) {
  return state === undefined || (typeof state === 'string' && !given.storage_states.includes(path.resolve(state)));
}

function origin(address) {
  try {
    return new URL(address).origin;
  } catch {
    return '';
  }
}

function defined(values) {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== undefined));
}

module.exports = { given, start, wrapped };
