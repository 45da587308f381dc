"""Shell scripts. What is read out of shellcheck's output was printed by shellcheck 0.11; the shells are real ones."""

import json
import os
import shutil
from pathlib import Path

import pytest

from gatehouse.inner.model import Outcome


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def scripts(bench, files, *programs):
    return bench.checks(files, *(programs or ("sh", "bash")))["shell-syntax"].argv[4:]


def test_each_script_is_read_by_the_shell_of_its_first_line(bench):
    files = {
        "scripts/a.sh": "#!/bin/sh\n",
        "scripts/b.sh": "#!/usr/bin/env -S bash -eu\n",
        "scripts/c": "#!/bin/bash\r\n",
        "scripts/d.sh": "# read by others\n",
        "scripts/e": "#!/usr/bin/env python3\n",
        "scripts/f.sh": "#!/usr/bin/env node\n",
        "scripts/notes": "nothing\n",
    }

    found = scripts(bench, files)

    shells = [Path(shell).name for shell in found[::2]]
    assert list(zip(found[1::2], shells, strict=True)) == [
        ("./a.sh", "sh"),
        ("./b.sh", "bash"),
        ("./c", "bash"),
        ("./d.sh", "bash"),
    ]


def test_a_script_without_a_first_line_is_read_by_sh_where_there_is_no_bash(bench):
    assert Path(scripts(bench, {"a.sh": "echo\n"}, "sh")[0]).name == "sh"


def test_the_scripts_of_a_folder_are_a_package(bench):
    files = {"a/x.sh": "", "a/y.sh": "", "bin/run": "#!/bin/sh\n", "docs/run": "#!/bin/sh\n"}
    bench.write(files)

    found = {package.manifest: package.files for package in bench.packages(files)}

    assert found == {"a/x.sh": ("a/x.sh", "a/y.sh"), "bin/run": ("bin/run",)}


def test_files_that_are_no_scripts_have_no_checks(bench):
    assert bench.checks({"bin/tool": "#!/usr/bin/env ruby\n", "bin/data": "\x00"}, "sh", "bash") == {}


def test_absent_bash_is_not_installed_where_a_script_names_it_and_other_shells_are_left_out(bench):
    found = bench.checks({"a.sh": "#!/bin/bash\n", "b.sh": "#!/bin/zsh\n"}, "sh")

    assert found["shell-syntax"].missing == "bash"
    assert "./b.sh" not in found["shell-syntax"].argv
    assert bench.checks({"c/b.sh": "#!/bin/zsh\n"}, "sh", only="c") == {}


@pytest.mark.parametrize(
    ("programs", "files", "expected"),
    [
        (("shellcheck",), {}, ["shell-syntax", "shell-lint"]),
        ((), {}, ["shell-syntax"]),
        ((), {".shellcheckrc": ""}, ["shell-syntax", "shell-lint"]),
    ],
    ids=["installed", "neither", "configured"],
)
def test_shellcheck_runs_where_it_is_installed_or_configured(bench, programs, files, expected):
    found = bench.checks({"a.sh": "#!/bin/sh\n", **files}, "sh", "bash", *programs)

    assert list(found) == expected
    if files:
        assert found["shell-lint"].missing == "shellcheck"


def test_without_a_configuration_only_errors_of_shellcheck_count(bench):
    plain = bench.checks({"a.sh": "#!/bin/sh\n"}, "sh", "shellcheck")["shell-lint"]
    configured = bench.checks({"a.sh": "#!/bin/sh\n", ".shellcheckrc": ""}, "sh", "shellcheck")["shell-lint"]

    assert "--severity=error" in plain.argv
    assert "--severity=error" not in configured.argv


def test_zsh_is_not_given_to_shellcheck_which_does_not_know_it(bench):
    files = {"a.sh": "#!/bin/sh\n", "b.sh": "#!/bin/zsh\n"}

    argv = bench.checks(files, "sh", "zsh", "shellcheck")["shell-lint"].argv

    assert "./a.sh" in argv
    assert "./b.sh" not in argv


def test_findings_of_shellcheck_have_a_place_and_a_rule(bench):
    check = bench.checks({"x/a.sh": "#!/bin/sh\n"}, "sh", "shellcheck")["shell-lint"]
    comment = {
        "file": "./a.sh",
        "line": 2,
        "column": 3,
        "level": "error",
        "code": 1046,
        "message": "Couldn't find 'fi' for this 'if'.",
    }

    outcome = bench.judge(check, json.dumps({"comments": [comment]}), code=1)

    assert places(outcome) == ["x/a.sh:2:3: SC1046: Couldn't find 'fi' for this 'if'."]


def test_output_of_shellcheck_that_cannot_be_read_is_no_pass(bench):
    check = bench.checks({"a.sh": "#!/bin/sh\n"}, "sh", "shellcheck")["shell-lint"]

    assert bench.judge(check, "panic").outcome is Outcome.FAILED


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_real_shells_find_the_line_in_every_broken_script_and_run_none(bench):
    files = {
        "x/a.sh": "#!/bin/bash\ntouch ran\nif true; then\n  echo\n",
        "x/b.sh": "#!/bin/sh\ntouch ran\necho )\n",
        "x/c c.sh": "#!/bin/bash\nx=(1 2)\n",
    }

    outcome = bench.run(bench.checks(files, path=os.environ["PATH"])["shell-syntax"], os.environ)

    assert outcome.outcome is Outcome.FAILED
    assert {finding.path for finding in outcome.findings} == {"x/a.sh", "x/b.sh"}
    assert [finding.line for finding in outcome.findings if finding.path == "x/b.sh"] == [3]
    assert not (bench.root / "x/ran").exists()


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_real_shells_pass_what_they_can_read(bench):
    files = {"a.sh": "#!/bin/bash\nx=(1 2)\n", "b.sh": "#!/bin/sh\necho\n"}

    check = bench.checks(files, path=os.environ["PATH"])["shell-syntax"]

    assert bench.run(check, os.environ).outcome is Outcome.PASSED
