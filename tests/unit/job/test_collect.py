"""Evidence on its way out of a pod: what is believed, and what is not."""

import io
import tarfile

import pytest

from gatehouse.core.deadline import Deadline
from gatehouse.core.errors import InfrastructureError, PermissionDenied
from gatehouse.job import collect as collecting
from gatehouse.job.collect import ask_to_stop, bundle_problem, collect
from gatehouse.kube.exec import CommandResult
from tests.support.bundles import failure, phases, write_bundle


@pytest.fixture
def handed_over(tmp_path):
    """The container's folder with a good bundle."""
    folder = tmp_path / "container"
    folder.mkdir()
    write_bundle(folder / "bundle", "smoke")
    (folder / "exit-code").write_text("0\n")
    return folder


@pytest.fixture
def answer(monkeypatch):
    """Has commands in the pod answered one after the other: by bytes, an exit code, or an error."""

    def answer(*answers):
        left = list(answers)
        asked = []

        def run(_cluster, _namespace, _pod, argv, _deadline, *, container, sink=None):
            asked.append(argv)
            content, code = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(content, Exception):
                raise content
            if sink:
                sink.write(content)
            source = "kubernetes exec status" if code is not None else "unknown: the stream was cut"
            return CommandResult(tuple(argv), b"", b"", code, source)

        monkeypatch.setattr(collecting, "run_in_pod", run)
        return asked

    return answer


def packed(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(folder, ".")
    return buffer.getvalue()


def bring(evidence):
    return collect(None, "n", "pod", evidence, Deadline.after(60))


def test_a_bundle_that_fits_its_manifest_is_brought_back_whole(handed_over, answer, tmp_path):
    answer((packed(handed_over), 0))

    collected = bring(tmp_path / "out" / "inside")

    assert (collected.exit_code, collected.problem) == (0, "")
    assert (collected.folder / "manifest.json").is_file()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["inside"]


def test_an_empty_folder_may_be_there_already(handed_over, answer, tmp_path):
    answer((packed(handed_over), 0))
    (tmp_path / "inside").mkdir()

    assert bring(tmp_path / "inside").problem == ""


def test_a_connection_that_is_cut_in_the_middle_is_made_again(handed_over, answer, tmp_path):
    whole = packed(handed_over)
    asked = answer((whole[:1000], None), (PermissionDenied("no"), None), (whole, 0))

    assert bring(tmp_path / "inside").problem == ""
    assert len(asked) == 3


@pytest.mark.parametrize(
    "answers",
    [
        [(b"", None)],
        [(PermissionDenied("Kubernetes refuses (403)", seen="pods/exec"), None)],
        [(b"", 127)],
        [(b"not an archive", 0)],
    ],
    ids=["cut", "forbidden", "no tar", "rubbish"],
)
def test_what_cannot_be_brought_back_is_no_verdict_and_leaves_nothing(answers, answer, tmp_path):
    answer(*answers)

    with pytest.raises(InfrastructureError, match="could not be brought back, so there is no verdict"):
        bring(tmp_path / "inside")
    assert list(tmp_path.iterdir()) == []


def test_half_an_archive_that_claims_to_be_whole_is_no_verdict(handed_over, answer, tmp_path):
    answer((packed(handed_over)[:-200], 0))

    with pytest.raises(InfrastructureError):
        bring(tmp_path / "inside")


def test_an_archive_without_an_exit_code_is_no_verdict(handed_over, answer, tmp_path):
    (handed_over / "exit-code").unlink()
    answer((packed(handed_over), 0))

    with pytest.raises(InfrastructureError):
        bring(tmp_path / "inside")


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-the-folder"])
def test_an_archive_cannot_write_anywhere_else(answer, tmp_path, name):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    answer((buffer.getvalue(), 0))

    with pytest.raises(InfrastructureError):
        bring(tmp_path / "inside")
    assert list(tmp_path.iterdir()) == []


def test_a_suite_that_left_no_bundle_keeps_its_exit_code_and_says_so(answer, tmp_path):
    folder = tmp_path / "container"
    folder.mkdir()
    (folder / "exit-code").write_text("4\n")
    answer((packed(folder), 0))

    collected = bring(tmp_path / "inside")

    assert (collected.exit_code, collected.folder) == (4, None)
    assert collected.problem == "the suite left no evidence"


def test_a_bundle_is_evidence_only_if_it_is_finished_unaltered_and_of_this_exit_code(tmp_path):
    good = write_bundle(tmp_path / "good", "smoke")
    assert bundle_problem(good, 0) == ""
    assert bundle_problem(good, 1) == "pytest ended with 1, but the manifest says 0"
    (good / "junit.xml").write_text("<testsuites/>")
    assert bundle_problem(good, 0) == "junit.xml was changed after the run"
    red = write_bundle(tmp_path / "red", "smoke", {"a": phases("a", outcome="failed", failure=failure())})
    assert "the manifest says 1" in bundle_problem(red, 0)
    cut = write_bundle(tmp_path / "cut", finish=False)
    assert "the run did not finish" in bundle_problem(cut, 0)
    assert "ended by signal 9" in bundle_problem(cut, 137)


def test_a_container_that_cannot_be_told_to_stop_is_known(answer):
    answer((b"", 0))
    assert ask_to_stop(None, "n", "pod")
    answer((PermissionDenied("no"), None))
    assert not ask_to_stop(None, "n", "pod")
