// The configuration that Playwright Test is given where the project's own is an ES module.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// Not imported: the loader of older versions, asked for a CommonJS module by an ES module, never answers.
const { given, start, wrapped } = createRequire(import.meta.url)('./wrap.cjs');

start(given);
export default wrapped(await import(pathToFileURL(given.config).href), given);
