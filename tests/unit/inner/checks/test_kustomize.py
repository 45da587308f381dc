"""Kustomize. What is read was printed by `kubectl kustomize` 1.36, and by kustomize as its sources word it."""

import os
import shutil

import pytest

from gatehouse.inner.checks.kustomize import LANGUAGE
from gatehouse.inner.graph import build
from gatehouse.inner.model import Outcome

FILES = {"k/kustomization.yaml": "resources:\n- a.yaml\n", "k/a.yaml": ""}


def places(outcome):
    return [str(finding) for finding in outcome.findings]


@pytest.mark.parametrize(
    ("programs", "argv"),
    [(("kustomize", "kubectl"), ("build", ".")), (("kubectl",), ("kustomize", "."))],
)
def test_a_kustomization_is_built_with_what_there_is(bench, programs, argv):
    assert bench.checks(FILES, *programs)["kustomize-build"].argv[1:] == argv


def test_a_kustomization_needs_one_of_them(bench):
    assert bench.checks(FILES)["kustomize-build"].missing == "kustomize"


@pytest.mark.parametrize("text", ["kind: Component\n", "helmCharts:\n- name: redis\n"])
def test_what_cannot_be_built_alone_or_offline_is_not_built(bench, text):
    assert bench.checks({"kustomization.yaml": text}, "kustomize") == {}


def test_a_broken_manifest_fails_at_its_place(bench):
    check = bench.checks({"kustomization.yaml": "resources: [\n"}, "kustomize")["kustomize-manifest"]

    assert str(check.look().findings[0]).startswith("kustomization.yaml:1:1: yaml: is no valid YAML")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "accumulating resources: accumulating resources from 'a.yaml': MalformedYAMLError: yaml: line 3: "
            "no end in File: a.yaml",
            "k/a.yaml:3: kustomize: accumulating resources from 'a.yaml': MalformedYAMLError: yaml: line 3: "
            "no end in File: a.yaml",
        ),
        (
            r"invalid Kustomization: json: unknown field \"foo\"",
            'k/kustomization.yaml: kustomize: invalid Kustomization: json: unknown field "foo"',
        ),
    ],
)
def test_an_error_is_placed_as_far_as_it_tells(bench, text, expected):
    check = bench.checks(FILES, "kubectl")["kustomize-build"]
    by_kubectl = f'E1121 20:16:25.580367    8539 run.go:72] "command failed" err="{text}"\n'
    by_kustomize = f"Error: {text}\n"
    by_older_kubectl = f"error: {text}\n"

    assert places(bench.judge(check, "", by_kubectl, code=1)) == [expected]
    assert places(bench.judge(check, "", by_kustomize, code=1)) == [expected]
    assert places(bench.judge(check, "", by_older_kubectl, code=1)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        'Get "https://h.example/x.yaml": dial tcp: lookup h.example: no such host\'',
        "failed to run '/usr/bin/git fetch --depth=1 https://h.example/x/y v1': fatal: unable to access",
    ],
)
def test_a_base_from_elsewhere_is_not_installed(bench, text):
    check = bench.checks(FILES, "kubectl")["kustomize-build"]

    assert bench.judge(check, "", f"Error: {text}\n", code=1).outcome is Outcome.NOT_INSTALLED


def test_overlays_are_linked_to_their_bases_and_components(bench):
    files = {
        "base/kustomization.yaml": "",
        "parts/kustomization.yml": "kind: Component\n",
        "dev/kustomization.yaml": (
            "resources:\n- ../base\n- own.yaml\n- https://h.example/x\n- github.com/x/y//z?ref=v1\n"
            "components: [../parts]\n"
        ),
    }
    bench.write(files)

    assert build(bench.packages(files), [LANGUAGE]).needs["dev/kustomization.yaml"] == {
        "base/kustomization.yaml",
        "parts/kustomization.yml",
    }


@pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")
def test_the_real_kubectl_passes_a_good_kustomization_and_places_a_fault(bench):
    def outcome(name):
        files = {**FILES, "k/a.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"}
        return bench.run(bench.checks(files, path=os.environ["PATH"])["kustomize-build"], os.environ)

    assert outcome("a").outcome is Outcome.PASSED
    finding = outcome("[a").findings[0]
    assert finding.path == "k/a.yaml"
    assert finding.line in (3, 4)


def test_a_resource_that_is_not_there_has_the_line_that_names_it(bench):
    files = {"k/kustomization.yaml": "resources:\n  - cm.yaml\n  - cmm.yaml\n", "k/cm.yaml": ""}
    check = bench.checks(files, "kustomize")["kustomize-build"]
    stderr = (
        "Error: accumulating resources: accumulation err='accumulating resources from 'cmm.yaml': evalsymlink failure"
        " on '{0}' : lstat {0}: no such file or directory': must build at directory: not a valid directory: x\n"
    )

    outcome = bench.judge(check, "", stderr.format(check.package.path / "cmm.yaml"), code=1)

    assert [str(each) for each in outcome.findings] == [
        "k/kustomization.yaml:3: kustomize: cmm.yaml is named and is not there"
    ]
