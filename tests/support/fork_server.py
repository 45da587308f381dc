"""A process that has imported pytest, its plugins and the harness, and forks for each run of a module.

Started by `forked`, which writes a line of JSON for each run and reads two lines: the id of the run's
process, and its exit code. Each run has what `python -m` would give it: arguments, folder, environment,
output and import path of its own. What is imported is all that runs have in common.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import sys
import tempfile

import pytest

#: What the harness imports first when a run needs it.
MODULES = ("coder.client", "core.settings", "evidence.recorder", "preview.environment")


def main():
    import_what_runs_need()
    gc.freeze()  # else the first collection of each run copies all this
    for line in sys.stdin:
        run = json.loads(line)
        process = os.fork()
        if process == 0:
            become(run)
            runpy.run_module(run["module"], run_name="__main__", alter_sys=True)
            sys.exit()
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def import_what_runs_need():
    # In a session, so that assertions in plugins are rewritten as they always are.
    with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as nothing:
        code = pytest.main(["-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", nothing])
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED
    for name in ("kubernetes", *(f"gatehouse.{each}" for each in MODULES)):
        importlib.import_module(name)


def become(run):
    """Let this process be as if it had been started for the run."""
    for number, (file, mode) in enumerate(
        [(os.devnull, os.O_RDONLY), (run["stdout"], os.O_WRONLY), (run["stderr"], os.O_WRONLY)]
    ):
        os.dup2(os.open(file, mode), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the old one has read ahead
    os.chdir(run["folder"])
    os.environ.clear()
    os.environ.update(run["environment"])
    sys.argv = [run["module"], *run["arguments"]]
    sys.orig_argv = [sys.executable, "-m", run["module"], *run["arguments"]]
    own = [each for each in run["environment"].get("PYTHONPATH", "").split(os.pathsep) if each]
    sys.path[:0] = [run["folder"], *(each for each in own if each not in sys.path)]
    # xdist keeps the path of its interpreter's start for its workers: this process has just been started.
    importlib.import_module("xdist.plugin")._sys_path[:] = sys.path


if __name__ == "__main__":
    main()
