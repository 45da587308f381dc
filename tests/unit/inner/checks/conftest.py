import subprocess

import pytest

from gatehouse.core.processes import Completed
from gatehouse.inner.checks import LANGUAGES
from gatehouse.inner.checks.tools import Tools
from gatehouse.inner.discover import discover
from gatehouse.inner.environment import check_environment
from gatehouse.inner.judge import judge


class Bench:
    """Makes a checkout, gives its checks by name, and judges what a tool printed or prints."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "checkout"

    def write(self, files):
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def programs(self, *names):
        """A PATH with nothing but empty programs of these names."""
        (self.folder / "bin").mkdir(exist_ok=True)
        for name in names:
            (self.folder / "bin" / name).write_text("")
            (self.folder / "bin" / name).chmod(0o755)
        return str(self.folder / "bin")

    def packages(self, files):
        return discover(self.root, files, LANGUAGES)

    def checks(self, files, *programs, path=None, only=None):
        """The checks of a checkout with these files by name, on a machine with these programs."""
        self.write(files)
        chosen = [package for package in self.packages(files) if only in (None, package.folder)]
        return self.checks_of(chosen, *programs, path=path)

    def checks_of(self, packages, *programs, path=None):
        tools = Tools(path or self.programs(*programs), self.folder / "cache")
        by_name = {language.name: language for language in LANGUAGES}
        return {
            check.name: check
            for package in packages
            for check in by_name[package.language].checks(package, tools)
        }

    def judge(self, check, stdout="", stderr="", code=0, **more):
        return judge(
            check, Completed(check.argv, code, stdout, stderr, more.pop("seconds", 1.0), **more), timeout=60
        )

    def run(self, check, environment):
        """The real command, as the pool runs it."""
        done = subprocess.run(
            check.argv,
            cwd=check.package.path,
            env={**check_environment(environment, self.folder / "cache"), **check.env},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        return self.judge(check, done.stdout, done.stderr, done.returncode)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)
