import socket
import sys
import threading
from pathlib import Path

import pytest

from gatehouse.core.launcher import OfflineLauncher
from gatehouse.core.processes import ProcessOwner

SERVES = """
import http.server, sys, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://127.0.0.1:{{server.server_port}}/").status)
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def launcher():
    launcher = OfflineLauncher()
    try:
        if launcher.problem:
            pytest.skip(f"this system does not let processes leave the network: {launcher.problem}")
        yield launcher
    finally:
        launcher.close()


def run(launcher, *command, **more):
    with ProcessOwner(launcher) as owner:
        return owner.run(command, timeout=60, **more)


def test_a_server_outside_of_the_program_is_out_of_reach(launcher):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)"

        assert "refused" in run(launcher, sys.executable, "-c", code).stderr


def test_a_server_of_its_own_is_reached(launcher):
    assert run(launcher, sys.executable, "-c", SERVES.format(port=0)).stdout == "200\n"


def test_two_programs_at_a_time_can_use_the_same_port(launcher):
    program = [sys.executable, "-c", SERVES.format(port=8080)]
    both = [launcher.start(program, cwd=None, env={}, stdin=True) for _ in range(2)]

    assert [each.stdout.readline() for each in both] == [b"200\n"] * 2

    for each in both:
        each.stdin.close()
        assert each.wait() == 0
        each.stdout.close()
        each.stderr.close()


def test_a_program_inherits_no_other_descriptors(launcher):
    with Path(__file__).open("rb"):
        done = run(launcher, "ls", "/proc/self/fd")

    assert done.stdout.split() == ["0", "1", "2", "3"]  # the last is the folder that ls reads


def test_names_that_are_no_text_reach_the_program(launcher):
    done = run(launcher, "printf", "%s", "caf\udce9", env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})

    assert done.stdout == "caf\ufffd"


def test_programs_can_be_started_by_many_threads(launcher):
    codes = []

    def start(number):
        codes.append(run(launcher, "sh", "-c", f"exit {number}").exit_code)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(codes) == list(range(20))


def test_nothing_is_started_when_the_helper_is_gone(launcher):
    launcher._process.kill()
    launcher._process.wait()

    with pytest.raises(RuntimeError, match="the process that starts programs without network"):
        run(launcher, "true")
