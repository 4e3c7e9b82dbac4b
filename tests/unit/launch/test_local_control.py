"""Where the testbed is that stays up: one at a time, and private."""

import stat
from pathlib import Path

import pytest

from launch.errors import LaunchError
from launch.local_control import LocalControl, UpState, read_state, refuse_second


def test_what_is_announced_is_read_until_it_is_up_no_more(tmp_path: Path) -> None:
    control = LocalControl(tmp_path / "state")
    state = UpState(7, "run-1", "/runs/1", "/tmp/s", "http://127.0.0.1:1/")
    control.announce(state)
    assert read_state(tmp_path / "state") == state
    assert stat.S_IMODE((tmp_path / "state" / "up.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    control.close()
    assert not (tmp_path / "state" / "up.json").exists()


def test_a_second_one_is_refused(tmp_path: Path) -> None:
    control = LocalControl(tmp_path / "state")
    with pytest.raises(LaunchError, match="a testbed is up already"):
        LocalControl(tmp_path / "state")
    with pytest.raises(LaunchError, match="a testbed is up already"):
        refuse_second(tmp_path / "state")
    with pytest.raises(LaunchError, match="still starting"):
        read_state(tmp_path / "state")
    control.close()


def test_no_testbed(tmp_path: Path) -> None:
    refuse_second(tmp_path)
    with pytest.raises(LaunchError, match="no testbed is up"):
        read_state(tmp_path)
