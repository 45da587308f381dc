// The configuration that Playwright Test is given where the project's own is CommonJS.
'use strict';
const { given, start, wrapped } = require('./wrap.cjs');

start(given);
module.exports = wrapped(require(given.config), given);
