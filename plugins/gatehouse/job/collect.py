"""Brings the evidence out of a Job's pod, and believes none of it that does not fit its manifest."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import GatehouseError, InfrastructureError
from gatehouse.evidence.manifest import ManifestError, read_manifest, verify_files
from gatehouse.job.handover import BUNDLE, COLLECTED, CONTAINER, EXIT_CODE, FOLDER, STOP
from gatehouse.kube.client import Cluster
from gatehouse.kube.exec import run_in_pod

#: How often the evidence is asked for: a connection may be cut in the middle.
ATTEMPTS = 3

#: Seconds for one command in the pod that only touches a file.
TOUCH_SECONDS = 30.0


@dataclass(frozen=True)
class Collected:
    """What was brought back: pytest's exit code, and the bundle's folder where there was one.

    `problem` says why the bundle is no evidence; empty for one that fits its manifest.
    """

    exit_code: int
    folder: Path | None
    problem: str = ""


def collect(cluster: Cluster, namespace: str, pod: str, evidence: Path, deadline: Deadline) -> Collected:
    """Copy the bundle of a suite that has ended into `evidence`, and compare it with its manifest.

    Raises `InfrastructureError` when it cannot be brought back whole.
    """
    evidence.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{evidence.name}-", dir=evidence.parent) as scratch:
        archive, unpacked = Path(scratch) / "evidence.tar.gz", Path(scratch) / "unpacked"
        _fetch(cluster, namespace, pod, archive, deadline)
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(unpacked, filter="data")
            code = int((unpacked / EXIT_CODE).read_text())
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise _not_brought_back(f"{type(error).__name__}: {error}", namespace, pod) from error
        bundle = unpacked / BUNDLE
        if not bundle.is_dir():
            return Collected(code, None, "the suite left no evidence")
        problem = bundle_problem(bundle, code)
        if evidence.is_dir():
            evidence.rmdir()  # it is empty: looked at before anything was made
        shutil.move(bundle, evidence)
    return Collected(code, evidence, problem)


def bundle_problem(bundle: Path, code: int) -> str:
    """Why a bundle is no evidence of a run that ended with `code`; empty if it is."""
    try:
        manifest = read_manifest(bundle)
    except ManifestError as error:
        killed = (
            f"pytest was ended by signal {code - 128} (9 is often for its memory); " if code > 128 else ""
        )
        return f"{killed}{error}"
    if problems := verify_files(bundle, manifest):
        return "; ".join(problems)
    if manifest.get("exit_status") != code:
        return f"pytest ended with {code}, but the manifest says {manifest.get('exit_status')}"
    return ""


def tell_collected(cluster: Cluster, namespace: str, pod: str) -> None:
    """Tell the container that it need not wait any longer. Nothing depends on it, so nothing is raised."""
    _touch(cluster, namespace, pod, COLLECTED)


def ask_to_stop(cluster: Cluster, namespace: str, pod: str) -> bool:
    """Ask the suite to stop and tear down; whether the container has heard it."""
    return _touch(cluster, namespace, pod, STOP)


def _touch(cluster: Cluster, namespace: str, pod: str, name: str) -> bool:
    try:
        done = run_in_pod(
            cluster,
            namespace,
            pod,
            ["touch", f"{FOLDER}/{name}"],
            Deadline.after(TOUCH_SECONDS),
            container=CONTAINER,
        )
    except GatehouseError:
        return False
    return done.exit_code == 0


def _fetch(cluster: Cluster, namespace: str, pod: str, archive: Path, deadline: Deadline) -> None:
    """Copy the container's folder as an archive; again, where the connection is cut."""
    argv = ["tar", "-C", FOLDER, "-czf", "-", "."]
    seen = ""
    for _ in range(ATTEMPTS):
        if deadline.expired:
            break
        try:
            with archive.open("wb") as sink:
                done = run_in_pod(cluster, namespace, pod, argv, deadline, container=CONTAINER, sink=sink)
        except GatehouseError as error:
            seen = f"{error.summary}: {error.seen}"
            continue
        if done.exit_code == 0:
            return
        seen = f"tar: {done.exit_code_source}: {done.stderr.decode(errors='replace').strip() or 'no words'}"
    raise _not_brought_back(seen or "the time was over", namespace, pod)


def _not_brought_back(seen: str, namespace: str, pod: str) -> InfrastructureError:
    return InfrastructureError(
        "the evidence of the Job could not be brought back, so there is no verdict",
        expected="an archive of the container's folder, by tar over pods/exec",
        seen=seen,
        where=f"pod {namespace}/{pod}, container {CONTAINER}, {FOLDER}",
        next_step="run it again; the image needs tar, and the identity get and create on pods/exec",
    )
