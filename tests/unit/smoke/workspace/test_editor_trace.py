import http.server
import platform
import subprocess
import sys
import threading

import pytest

from gatehouse.coder.elf import same_machine
from gatehouse.smoke.workspace.editor_trace import EditorFacts, Program, cause_of, parse_facts, questions

FOLDER = "/workspaces/.code-server"
ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00"
X86 = ARM[:18] + b"\x3e\x00"


def facts(header=X86, machine="x86_64", **more):
    return EditorFacts(machine, (FOLDER,), (Program(f"{FOLDER}/lib/node", header),), **more)


@pytest.mark.parametrize(
    ("found", "port", "log", "words", "remedy"),
    [
        (
            facts(ARM),
            1,
            [],
            "is made for aarch64, and the workspace runs on x86_64",
            f"remove the cache folder {FOLDER}",
        ),
        (
            facts(X86, "aarch64"),
            1,
            [],
            "is made for x86_64, and the workspace runs on aarch64",
            "for each architecture",
        ),
        (facts(processes=(7,), ports=(13338,)), 13337, [], "listens on port 13338", "coder_app the port"),
        (
            facts(processes=(7,), ports=(13337,)),
            13337,
            [],
            "process 7 runs, but does not answer",
            "restart it",
        ),
        (facts(processes=(7,)), 13337, [], "process 7 runs, but does not answer", "own log"),
        (facts(), 1, [], "process is not running", "read the agent's log"),
        (
            facts(),
            1,
            ["ok", "code-server: error: listen EADDRINUSE"],
            "not running; the log says: code-server: error: listen EADDRINUSE",
            "restart the workspace",
        ),
        (EditorFacts("x86_64"), 1, [], "not installed in any of the folders", "coder.editor_folders"),
        (facts(b"#!/bin/sh\nexec node x"), 1, [], "process is not running", "restart"),
        (facts(ARM, "arm64"), 1, [], "process is not running", "restart"),
    ],
)
def test_the_cause_is_told_from_what_is_found_inside(found, port, log, words, remedy):
    cause = cause_of(found, port, log)

    assert words in cause.words
    assert remedy in cause.remedy


def asked(*folders, home="/home/nobody"):
    done = subprocess.run(
        ["sh", "-c", questions([str(each) for each in folders])],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home)},
    )
    return parse_facts(done.stdout.replace("\n", "\r\n"))


def test_the_script_finds_an_installed_program_and_its_first_bytes(tmp_path):
    lib = tmp_path / "editor" / "lib"
    lib.mkdir(parents=True)
    (lib / "node").write_bytes(ARM + bytes(44))
    found = asked("/nowhere", "$HOME/editor", home=tmp_path)

    assert same_machine(found.machine, platform.machine())
    assert found.folders == (str(tmp_path / "editor"),)
    assert found.programs == (Program(str(lib / "node"), ARM),)
    assert found.processes == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_the_script_finds_a_running_editor_and_its_port(tmp_path):
    program = tmp_path / "serve.py"
    program.write_text(
        "import http.server, sys\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n"
        "print(server.server_port, flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, str(program)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        found = asked(tmp_path)
        process.stdin.close()

    assert process.pid in found.processes
    assert port in found.ports


def test_other_processes_and_their_ports_do_not_count(tmp_path):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        found = asked(tmp_path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert server.server_port not in found.ports
    assert found.processes == ()
