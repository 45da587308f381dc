"""What Node.js is told about hostnames, as Playwright's driver is."""

import json
import os
import subprocess
from pathlib import Path

import playwright
import pytest

from gatehouse.preview.browser import point_node_at

NODE = Path(playwright.__file__).parent / "driver" / "node"

ADDRESSES = {"www.shop.example": "10.0.0.1", "*.preview.example": "10.0.0.2", "six.example": "fd00::1"}

#: Asks by every way there is for a hostname; prints the answers as JSON.
ASKS = """
const dns = require("node:dns"), util = require("node:util"), net = require("node:net");
const host = process.argv[1];
(async () => {
  const found = {};
  found.callback = await new Promise(done => dns.lookup(host, (error, address, family) => done([address, family])));
  found.family = await new Promise(done => dns.lookup(host, 4, (error, address) => done(address)));
  found.all = await new Promise(done => dns.lookup(host, { all: true }, (error, all) => done(all)));
  found.promise = await dns.promises.lookup(host);
  found.promises = await dns.promises.lookup(host, { all: true });
  found.promisified = await util.promisify(dns.lookup)(host);
  console.log(JSON.stringify(found));
})();
"""


def run(script, *arguments, addresses=ADDRESSES, **environment):
    environment = {"PATH": os.environ["PATH"], **environment}
    point_node_at(addresses, environment)
    command = [NODE, "-e", script, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("host", "address", "family"),
    [
        ("www.shop.example", "10.0.0.1", 4),
        ("WWW.Shop.Example", "10.0.0.1", 4),
        ("pr-7.preview.example", "10.0.0.2", 4),
        ("six.example", "fd00::1", 6),
        ("www-pr-7.preview.localhost", "127.0.0.1", 4),
        ("localhost", "127.0.0.1", 4),
    ],
)
def test_a_host_is_at_its_address_however_node_asks(host, address, family):
    found = json.loads(run(ASKS, host))
    entry = {"address": address, "family": family}

    assert found == {
        "callback": [address, family],
        "family": address,
        "all": [entry],
        "promise": entry,
        "promises": [entry],
        "promisified": entry,
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "www.shop.example.org", "wwwxshop.example"])
def test_other_hosts_are_asked_of_the_system(host):
    script = (
        'require("node:dns").lookup(process.argv[1], (error, address) => console.log(address || error.code))'
    )

    assert run(script, host).strip() not in ADDRESSES.values()


def test_a_connection_is_made_to_the_address():
    script = """
const net = require("node:net");
const server = net.createServer(socket => socket.end()).listen(0, "127.0.0.1", () => {
  const socket = net.connect(server.address().port, "shop.example", () => {
    console.log(socket.remoteAddress);
    socket.end();
    server.close();
  });
});
"""

    assert run(script, addresses={"shop.example": "127.0.0.1"}).strip() == "127.0.0.1"


def test_options_of_the_users_own_stay_and_ours_is_there_once():
    environment = {"NODE_OPTIONS": "--no-warnings"}
    point_node_at({}, environment)
    once = environment["NODE_OPTIONS"]
    point_node_at(ADDRESSES, environment)

    assert environment["NODE_OPTIONS"] == once
    assert once.startswith("--no-warnings --require ")
    assert json.loads(environment["GATEHOUSE_ADDRESSES"]) == ADDRESSES
