"""One process at a time in a folder."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from launch.errors import LaunchError
from launch.folder_lock import alone_in, hold


def test_a_second_one_is_refused_in_one_line_until_the_first_is_done(tmp_path: Path) -> None:
    refused = pytest.raises(LaunchError, match=f"^{tmp_path}: another process is writing into it$")
    with alone_in(tmp_path), refused:
        alone_in(tmp_path).__enter__()
    with alone_in(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_who_waits_comes_next(tmp_path: Path) -> None:
    order: list[str] = []

    def later() -> None:
        with alone_in(tmp_path, wait=True):
            order.append("second")

    with alone_in(tmp_path):
        waiting = threading.Thread(target=later)
        waiting.start()
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]


def test_the_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from launch.folder_lock import alone_in\n"
        "with alone_in(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LaunchError):
            alone_in(tmp_path).__enter__()
        holder.kill()
        holder.wait(10)
        with alone_in(tmp_path):
            pass


def test_what_is_held_is_refused_to_others_until_the_process_ends(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from launch.folder_lock import hold\n"
        "for _ in range(2): hold(Path(sys.argv[1]))\n"
        "print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LaunchError, match="another process is writing into it"):
            hold(tmp_path)
    hold(tmp_path)
