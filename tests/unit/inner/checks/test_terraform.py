"""Terraform. What is read was printed by Terraform 1.11; tflint's JSON is written after its documentation."""

import json
import os
import shutil

import pytest

from gatehouse.inner.checks.terraform import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import Outcome

DIFF = """\
main.tf
--- old/main.tf
+++ new/main.tf
@@ -1,4 +1,4 @@
 variable "a" {
-type = string
+  type = string
 }
"""


def places(outcome):
    return [str(finding) for finding in outcome.findings]


def validation(summary, **more):
    return json.dumps(
        {"diagnostics": [{"severity": "error", "summary": summary, "detail": "Why.\n", **more}]}
    )


def test_each_folder_is_formatted_and_is_only_validated_once_it_is_initialised(bench):
    (bench.root / "b/.terraform").mkdir(parents=True)
    files = {"a/main.tf": "", "b/main.tf": ""}

    assert list(bench.checks(files, "terraform", only="a")) == ["terraform-fmt"]
    assert list(bench.checks(files, "terraform", only="b")) == ["terraform-fmt", "terraform-validate"]


@pytest.mark.parametrize(("pin", "missing"), [("README.md", []), (".terraform.lock.hcl", ["terraform"])])
def test_absent_terraform_is_missed_where_the_repository_pins_it(bench, pin, missing):
    assert [check.missing for check in bench.checks({"main.tf": "", pin: ""}).values()] == missing


def test_tofu_serves_where_there_is_no_terraform(bench):
    assert bench.checks({"main.tf": ""}, "tofu")["terraform-fmt"].argv[0].endswith("/tofu")


def test_a_file_that_is_not_formatted_is_named_with_its_first_changed_line(bench):
    check = bench.checks({"x/main.tf": ""}, "terraform")["terraform-fmt"]

    assert places(bench.judge(check, DIFF, code=3)) == [
        "x/main.tf:2: format: is not formatted; run terraform fmt"
    ]


def test_a_file_that_cannot_be_read_is_named_with_its_line(bench):
    check = bench.checks({"x/bad.tf": ""}, "terraform")["terraform-fmt"]
    stderr = "\nError: Missing expression\n\n  on bad.tf line 3, in locals:\n   3: \n\nExpected the start\n"

    assert places(bench.judge(check, "", stderr, code=2)) == ["x/bad.tf:3: syntax: Missing expression"]


def test_what_validation_finds_has_a_place_and_what_init_would_bring_is_not_installed(bench):
    (bench.root / "x/.terraform").mkdir(parents=True)
    check = bench.checks({"x/main.tf": ""}, "terraform")["terraform-validate"]
    place = {"filename": "main.tf", "start": {"line": 1, "column": 14}}

    failed = bench.judge(check, validation("Reference to undeclared input variable", range=place), code=1)
    absent = bench.judge(check, validation("Missing required provider"), code=1)

    assert places(failed) == ["x/main.tf:1:14: Reference to undeclared input variable: Why."]
    assert absent.outcome is Outcome.NOT_INSTALLED
    assert "terraform init" in check.how_to_install


def test_tflint_runs_where_it_is_configured_and_its_plugins_may_be_missing(bench):
    assert "terraform-lint" not in bench.checks({"main.tf": ""}, "tflint")
    check = bench.checks({"main.tf": "", ".tflint.hcl": ""}, "tflint")["terraform-lint"]
    place = {"filename": "main.tf", "start": {"line": 2, "column": 1}}
    issue = {"rule": {"name": "unused"}, "message": "Unused variable", "range": place}

    failed = bench.judge(check, json.dumps({"issues": [issue], "errors": []}), code=2)
    absent = bench.judge(check, "", 'Plugin "aws" not found. Did you run "tflint --init"?', code=1)

    assert places(failed) == ["main.tf:2:1: unused: Unused variable"]
    assert absent.outcome is Outcome.NOT_INSTALLED


def test_modules_are_linked_by_their_paths(bench):
    files = {
        "envs/dev/main.tf": 'module "a" {\n  source = "../../modules/a"\n}\nmodule "b" {\n  source = "x/y/z"\n}\n',
        "modules/a/main.tf": "",
    }
    bench.write(files)

    assert build(bench.packages(files), [LANGUAGE]).needs["envs/dev/main.tf"] == {"modules/a/main.tf"}


@pytest.mark.skipif(not shutil.which("terraform"), reason="needs terraform")
def test_the_real_terraform_finds_each_fault_and_changes_nothing(bench):
    def outcome(text):
        return bench.run(
            bench.checks({"x/main.tf": text}, path=os.environ["PATH"])["terraform-fmt"], os.environ
        )

    wrong = 'variable "a" {\ntype = string\n}\n'

    assert outcome('variable "a" {\n  type = string\n}\n').outcome is Outcome.PASSED
    assert places(outcome("locals {\n  y = {\n"))[0].startswith("x/main.tf:3: syntax: ")
    assert places(outcome(wrong)) == ["x/main.tf:2: format: is not formatted; run terraform fmt"]
    assert (bench.root / "x/main.tf").read_text() == wrong
    assert [path.name for path in (bench.root / "x").iterdir()] == ["main.tf"]
