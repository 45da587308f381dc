// Loaded into Node.js by NODE_OPTIONS: hostnames are at the addresses that the target's settings say, also for requests
// that Playwright makes without a browser. Names below .localhost are always this machine (RFC 6761).
"use strict";
const dns = require("node:dns");

const addresses = Object.entries(JSON.parse(process.env.GATEHOUSE_ADDRESSES || "{}")).map(([pattern, address]) => [
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "i"),
  address,
]);

function addressOf(host) {
  const found = addresses.find(([pattern]) => pattern.test(host));
  if (found) return found[1];
  return /(^|\.)localhost$/i.test(host) ? "127.0.0.1" : null;
}

function answer(address, options) {
  const family = address.includes(":") ? 6 : 4;
  return options.all ? [{ address, family }] : { address, family };
}

const lookup = dns.lookup;
dns.lookup = function (host, options, callback) {
  if (typeof options === "function") [options, callback] = [{}, options];
  const address = addressOf(host);
  if (address === null) return lookup.call(dns, host, options, callback);
  const found = answer(address, typeof options === "object" ? options : {});
  process.nextTick(() => (Array.isArray(found) ? callback(null, found) : callback(null, found.address, found.family)));
};

// util.promisify asks this of the function.
for (const symbol of Object.getOwnPropertySymbols(lookup)) dns.lookup[symbol] = lookup[symbol];

const lookupPromise = dns.promises.lookup;
dns.promises.lookup = async function (host, options) {
  const address = addressOf(host);
  return address === null ? lookupPromise.call(dns.promises, host, options) : answer(address, options || {});
};
