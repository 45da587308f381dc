"""Taking evidence away, or damaging any of it, never opens a gate that was closed, and never keeps one open."""

import json
import random
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.gate.decide import decide
from gatehouse.gate.inputs import Subject, read_bundle
from gatehouse.gate.policy import Policy
from gatehouse.gate.verdict import Question
from tests.support.bundles import COMMIT, PULL_REQUEST, REPOSITORY, leak, proof, write_bundle

POLICY = Policy.model_validate(
    {
        "schema": 1,
        "suites": {"smoke": {}, "preview": {"deployment_proof": True}, "task": {"leak_proof": True}},
    }
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    root = tmp_path_factory.mktemp("good")
    write_bundle(root / "smoke", "smoke")
    write_bundle(root / "preview", "preview", extra=(proof("start"), proof("end")))
    write_bundle(root / "task", "task", extra=(leak(),))
    return root


def judge(root):
    bundles = [read_bundle(folder) for folder in sorted(root.iterdir()) if folder.is_dir()]
    subject = Subject(REPOSITORY, PULL_REQUEST, COMMIT)
    return decide(Question(POLICY, subject, bundles, datetime.now(UTC)))


def flip(data, rng):
    position = rng.randrange(len(data))
    return data[:position] + bytes([data[position] ^ (1 << rng.randrange(8))]) + data[position + 1 :]


def cut(data, rng):
    return data[: rng.randrange(len(data))]


def drop_line(data, rng):
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def repeat_line(data, rng):
    lines = data.splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return b"".join(lines)


def test_the_set_is_good_to_begin_with(good):
    assert judge(good).exit_code == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), how=st.sampled_from([flip, cut, drop_line, repeat_line, None]))
def test_no_damage_to_any_file_of_a_good_set_leaves_the_gate_open(good, seed, how):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "set"
        shutil.copytree(good, root)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        victim = rng.choice(files)
        before = victim.read_bytes()
        if how is None:
            victim.unlink()
        else:
            after = how(before, rng)
            if after == before:
                return
            victim.write_bytes(after)

        if victim.name == "manifest.json" and how is not None and not judge(root).reasons:
            assert what_is_read(victim.read_bytes()) == what_is_read(before)
        else:
            assert judge(root).exit_code != 0


def what_is_read(manifest):
    """All of a manifest that bears on a verdict; its white space, its own times and the target's name do not."""
    data = json.loads(manifest)
    keys = ("schema", "run_id", "suites", "subject", "exit_status", "inventory", "counts", "files")
    return {key: data.get(key) for key in keys} | {"embedded": data["target"].get("embedded")}


@pytest.mark.parametrize("suite", ["smoke", "preview", "task"])
def test_leaving_a_bundle_out_closes_the_gate(good, tmp_path, suite):
    shutil.copytree(good, tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / suite)

    assert judge(tmp_path / "set").exit_code == 12
