"""The door of a testbed that stays up: one at a time, private, and polite about nonsense."""

import base64
import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launch.errors import LaunchError
from launch.local_control import LocalControl, call, read_state, refuse_second
from shared.wire.messages import AskResult


class FakeTestbed:
    def ask(self, user: int, task: str, text: str, image: bytes) -> AskResult:
        if text == "late":
            raise LaunchError("no terminal state")
        said = f"{task}:{text}:{len(image)}"
        return AskResult(ask_id="a", user=user, state="answered", reason="", text=said, latency_ms=2.0)

    def status(self) -> dict[str, Any]:
        return {"roles": [], "progress": {}, "failure": None}


@pytest.fixture
def control(tmp_path: Path) -> Iterator[LocalControl]:
    control = LocalControl(tmp_path / "state", tmp_path / "run", "run-1")
    yield control
    control.close()


def ask(text: str) -> dict[str, Any]:
    return {"verb": "ask", "user": 1, "task": "vqa", "text": text, "image": base64.b64encode(b"png").decode()}


def test_serves_ask_status_and_down(control: LocalControl, tmp_path: Path) -> None:
    downs: list[int] = []
    control.serve(FakeTestbed(), lambda: downs.append(1))  # type: ignore[arg-type]
    state = read_state(tmp_path / "state")
    assert call(state, ask("why?"), 5.0)["text"] == "vqa:why?:3"
    assert call(state, {"verb": "status"}, 5.0)["run_dir"] == str(tmp_path / "run")
    with pytest.raises(LaunchError, match="no terminal state"):
        call(state, ask("late"), 5.0)
    call(state, {"verb": "down"}, 5.0)
    assert downs == [1]


def test_files_are_private(control: LocalControl, tmp_path: Path) -> None:
    control.serve(FakeTestbed(), lambda: None)  # type: ignore[arg-type]
    state = read_state(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state" / "up.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(state.socket_path).parent.stat().st_mode) == 0o700


def test_a_second_one_is_refused(control: LocalControl, tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="a testbed is up already"):
        LocalControl(tmp_path / "state", tmp_path, "run-2")
    with pytest.raises(LaunchError, match="a testbed is up already"):
        refuse_second(tmp_path / "state")
    with pytest.raises(LaunchError, match="still starting"):
        read_state(tmp_path / "state")


@pytest.mark.parametrize(
    "line", [b"\xff\n", b"[]\n", b"{}\n", b'{"verb": "dance"}\n', b'{"verb": "ask"}\n', b"\n"]
)
def test_nonsense_gets_an_error_and_harms_nothing(control: LocalControl, tmp_path: Path, line: bytes) -> None:
    control.serve(FakeTestbed(), lambda: None)  # type: ignore[arg-type]
    state = read_state(tmp_path / "state")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        client.connect(state.socket_path)
        client.sendall(line)
        assert "error" in json.loads(client.makefile("rb").readline())
    assert call(state, ask("still there?"), 5.0)["state"] == "answered"


def test_no_testbed(tmp_path: Path) -> None:
    refuse_second(tmp_path)
    with pytest.raises(LaunchError, match="no testbed is up"):
        read_state(tmp_path)
