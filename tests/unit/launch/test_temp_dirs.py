"""Folders of the living stay, folders of the dead go."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from launch.temp_dirs import make_temp_dir, sweep_temp_dirs


def test_sweeps_only_what_the_dead_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, strange = tmp_path / f"m4sc-ray-{ended.pid}-abc", tmp_path / "m4sc-notes-of-mine"
    dead.mkdir()
    strange.mkdir()
    mine = make_temp_dir("up")
    sweep_temp_dirs()
    assert not dead.exists()
    assert strange.exists()
    assert mine.exists()
    assert mine.stat().st_mode & 0o777 == 0o700
    assert mine.name.startswith(f"m4sc-up-{os.getpid()}-")
