"""The folder for caches: made where it can be, and a clear word where it cannot."""

import shutil
from types import SimpleNamespace

import pytest

from gatehouse.core.errors import EnvironmentProblem
from gatehouse.core.folders import ROOM, cache_folder, require_room


def test_the_folder_is_made_below_the_one_that_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))

    assert cache_folder() == tmp_path / "caches" / "gatehouse"
    assert cache_folder().is_dir()


def test_without_a_name_it_lies_in_the_home(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert cache_folder() == tmp_path / ".cache" / "gatehouse"


def test_a_folder_that_cannot_be_made_is_named_with_what_the_system_says(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(EnvironmentProblem) as caught:
        cache_folder()

    assert f"cannot be made: {tmp_path / 'file' / 'gatehouse'}" in str(caught.value)
    assert "Not a directory" in str(caught.value)
    assert "XDG_CACHE_HOME" in str(caught.value)


@pytest.mark.parametrize(("free", "enough"), [(ROOM, True), (ROOM - 1, False), (0, False)])
def test_a_full_disk_is_said_before_anything_runs(tmp_path, monkeypatch, free, enough):
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))

    if enough:
        require_room(tmp_path)
    else:
        with pytest.raises(EnvironmentProblem, match=f"{free} bytes free"):
            require_room(tmp_path)
