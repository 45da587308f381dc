import socket
import subprocess
import sys

import pytest

from gatehouse.core.offline import offline_command

PREFIX = offline_command()

needs_namespaces = pytest.mark.skipif(
    not PREFIX, reason="this system does not let processes leave the network"
)

SERVES = """
import http.server, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/").status)
"""


def run(*command):
    return subprocess.run([*PREFIX, *command], capture_output=True, text=True, check=False, timeout=60)


@needs_namespaces
def test_a_server_outside_of_the_process_is_out_of_reach():
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)"

        assert "refused" in run(sys.executable, "-c", code).stderr


@needs_namespaces
def test_a_server_of_its_own_is_reached():
    assert run(sys.executable, "-c", SERVES).stdout.strip() == "200"


@needs_namespaces
def test_exit_code_and_output_are_the_programs_own():
    done = run("sh", "-c", "echo out; echo err >&2; exit 7")

    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


@needs_namespaces
def test_a_program_that_is_not_there_ends_as_in_a_shell():
    done = run("/nonexistent/tool")

    assert done.returncode == 127
    assert "/nonexistent/tool: No such file or directory" in done.stderr
