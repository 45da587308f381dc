"""What masking a large trace costs: seconds of a processor for 100 MB unpacked, and the memory it takes.

Usage: python benchmarks/masking.py [megabytes]
"""

import json
import random
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from gatehouse.core.redaction import Redactor
from gatehouse.evidence.redacted_files import redact_files

#: As many secrets as a job in CI usually knows.
SECRETS = [f"planted-{number}-{'x7Gk' * 7}" for number in range(10)]

HEADERS = [
    {"name": "Accept", "value": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
    {"name": "Cookie", "value": "sid=0123456789abcdef; theme=dark"},
    {"name": "User-Agent", "value": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0"},
    {"name": "sec-ch-ua-platform", "value": '"Linux"'},
]


def snapshot(number):
    """A line of trace.trace as after an action: the page as a tree."""
    row = ["TR", {"class": "row"}, *(["TD", {}, f"cell {random.random()} of {number}"] for _ in range(40))]
    form = ["FORM", {}, ["INPUT", {"type": "password", "name": "password", "__playwright_value_": "typed"}]]
    html = ["HTML", {}, ["BODY", {}, form, ["TABLE", {}, row, row, row]]]
    return {
        "type": "frame-snapshot",
        "snapshot": {"callId": f"call@{number}", "html": html, "frameUrl": "http://localhost/"},
    }


def request(number):
    """A line of trace.network."""
    url = f"https://shop.localhost/api/items/{number}?page=3&sort=name"
    return {
        "type": "resource-snapshot",
        "snapshot": {
            "request": {"method": "GET", "url": url, "headers": HEADERS, "cookies": [], "queryString": []},
            "response": {"status": 200, "headers": HEADERS * 2, "content": {"_sha1": f"{number:040x}.json"}},
            "timings": {"dns": 0.015, "connect": 0.57, "wait": random.random()},
        },
    }


def measure(name, size, lines):
    """Mask an archive with one entry of `size` bytes."""
    with tempfile.TemporaryDirectory() as folder:
        written = 0
        with (
            zipfile.ZipFile(
                Path(folder) / "trace.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1
            ) as archive,
            archive.open(name, "w") as entry,
        ):
            for number, line in enumerate(lines):
                written += entry.write(line)
                if written > size:
                    break
                if number == 500 and "har" not in name and not name.endswith(".bin"):
                    entry.write(json.dumps({"type": "log", "message": SECRETS[3]}).encode() + b"\n")
        started = time.process_time()
        done = redact_files(Path(folder), Redactor(SECRETS))
        seconds = time.process_time() - started
        assert not done.withheld, done
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name:40} {seconds * 100e6 / written:5.1f} s for 100 MB; at most {memory} MB so far", flush=True)


def endless(make):
    """Lines of a thousand different events, again and again."""
    lines = [json.dumps(make(number), separators=(",", ":")).encode() + b"\n" for number in range(1000)]
    while True:
        yield from lines


def one_document(make):
    """The same as one line of JSON, as a HAR is."""
    yield b'{"log":{"entries":['
    first = True
    for line in endless(make):
        yield (b"" if first else b",") + line.rstrip()
        first = False


if __name__ == "__main__":
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    random.seed(7)
    program = b"function f(a,b){return a.b(c,d).then(e=>e.map(f=>f.g+1))}//" * 20 + b"\n"
    measure("resources/1.js", megabytes * 1_000_000, (program for _ in iter(int, 1)))
    measure("resources/1.bin", megabytes * 1_000_000, (random.randbytes(65536) for _ in iter(int, 1)))
    measure("trace.trace", megabytes * 1_000_000, endless(snapshot))
    measure("trace.network", megabytes * 1_000_000, endless(request))
    measure("har.har", megabytes * 1_000_000, one_document(request))
