// Writes what happens as lines of JSON, each as it happens, so that others can follow and a crash loses nothing.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { journeyOf } = require('./journey.cjs');

const given = JSON.parse(fs.readFileSync(process.env.GATEHOUSE_PLAYWRIGHT_TEST, 'utf8'));

/** Characters kept of a test's output: its end. */
const OUTPUT_LIMIT = 16 * 1024;

class Reporter {
  printsToStdio() {
    return false;
  }

  write(event, data) {
    fs.appendFileSync(given.results, JSON.stringify({ event, ...data }) + '\n');
  }

  onBegin(config, suite) {
    this.shard = config.shard?.current ?? 1;
    this.write('begin', {
      version: config.version,
      pid: process.pid,
      workers: config.workers,
      root: config.rootDir,
      web_server: Boolean(config.metadata?.gatehouse?.webServer),
      tests: suite.allTests().map(described),
    });
  }

  onTestBegin(test, result) {
    this.write('test_begin', { id: test.id, retry: result.retry });
  }

  onTestEnd(test, result) {
    this.write('test_end', {
      id: test.id,
      retry: result.retry,
      retries: test.retries,
      status: result.status,
      expected: test.expectedStatus,
      seconds: result.duration / 1000,
      worker: result.workerIndex,
      shard: this.shard,
      annotations: test.annotations,
      errors: (result.errors.length ? result.errors : [result.error]).filter(Boolean).map(errorOf),
      attachments: attachmentsOf(result.attachments),
      journey: journeyOf(given, test.id, result.retry),
      stdout: output(result.stdout),
      stderr: output(result.stderr),
    });
  }

  onError(error) {
    this.write('error', errorOf(error));
  }

  onEnd(result) {
    this.write('end', { status: result.status });
  }
}

function described(test) {
  const titles = [test.title];
  let suite = test.parent;
  for (; suite && suite.type === 'describe'; suite = suite.parent)
    titles.unshift(suite.title);
  return {
    id: test.id,
    titles,
    project: suite?.project()?.name ?? '',
    spec: suite?.location?.file ?? test.location.file,
    file: test.location.file,
    line: test.location.line,
    repeat: test.repeatEachIndex,
  };
}

function errorOf(error) {
  return {
    message: error.message ?? error.value ?? '',
    stack: error.stack ?? '',
    snippet: error.snippet ?? '',
    file: error.location?.file ?? '',
    line: error.location?.line ?? 0,
  };
}

/** Attachments as files; what is held in memory is written beside the others. */
function attachmentsOf(attachments) {
  return attachments.filter(each => !each.name.startsWith('_')).flatMap(({ name, path: file, contentType, body }) => {
    if (file === undefined && body === undefined)
      return [];
    return [{ name, media_type: contentType, path: file ?? written(body, contentType) }];
  });
}

function written(body, contentType) {
  const extension = { 'application/json': '.json', 'text/plain': '.txt', 'text/html': '.html', 'text/markdown': '.md', 'image/png': '.png' };
  const name = crypto.createHash('sha256').update(body).digest('hex').slice(0, 24) + (extension[contentType] ?? '.bin');
  const file = path.join(given.output, 'attached', name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, body);
  return file;
}

function output(chunks) {
  return chunks.map(String).join('').slice(-OUTPUT_LIMIT);
}

module.exports = Reporter;
