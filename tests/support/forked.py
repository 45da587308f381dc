"""`python -m pytest` and `gatehouse` as processes of their own that need not import everything anew."""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SERVER = Path(__file__).with_name("fork_server.py")


def run_pytest(arguments, folder, environment=None, timeout=110):
    """`python -m pytest` in a folder, to its end; as `run_module`."""
    return run_module("pytest", arguments, folder, environment, timeout)


def run_module(module, arguments, folder, environment=None, timeout=110):
    """`python -m module` in a folder, to its end; gives exit code and output.

    Raises `subprocess.TimeoutExpired` after having ended it.
    """
    server = _running()
    with tempfile.TemporaryDirectory() as scratch:
        streams = {name: Path(scratch, name) for name in ("stdout", "stderr")}
        for path in streams.values():
            path.touch()
        run = {
            "module": module,
            "arguments": [str(each) for each in arguments],
            "folder": str(folder),
            "environment": dict(os.environ if environment is None else environment),
            **{name: str(path) for name, path in streams.items()},
        }
        server.stdin.write(json.dumps(run) + "\n")
        server.stdin.flush()
        process = int(_answer(server))
        code = _exit_code(server, process, timeout, [module, *run["arguments"]])
        output = {name: path.read_text(errors="replace") for name, path in streams.items()}
    return subprocess.CompletedProcess([module, *run["arguments"]], code, **output)


def _exit_code(server, process, timeout, command):
    """Waits for the run; ends it where it takes too long, or where the waiting is broken off."""
    late = threading.Event()

    def end():
        late.set()
        os.kill(process, signal.SIGKILL)

    timer = threading.Timer(timeout, end)
    timer.start()
    try:
        code = int(_answer(server))
    except BaseException:
        end()
        _answer(server)
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise subprocess.TimeoutExpired(command, timeout)
    return code


def _answer(server):
    line = server.stdout.readline()
    assert line, f"{SERVER} has ended; what it said is among this process's own output"
    return line


_servers = []


def _running():
    """The server of this process, which ends with it."""
    if not _servers:
        server = subprocess.Popen(
            [sys.executable, "-P", str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        atexit.register(server.communicate)
        _servers.append(server)
    return _servers[0]
