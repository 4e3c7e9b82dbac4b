"""The control door of a run: private, and polite about nonsense."""

import base64
import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launch.control_door import ControlDoor, knock
from launch.errors import LaunchError
from shared.config_file import ConfigError
from shared.wire.messages import AskResult

DOWNS: list[int] = []


class FakeTestbed:
    def ask(self, user: int, task: str, text: str, image: bytes) -> AskResult:
        if text == "late":
            raise LaunchError("no terminal state")
        said = f"{task}:{text}:{len(image)}"
        return AskResult(ask_id="a", user=user, state="answered", reason="", text=said, latency_ms=2.0)

    def inject(self, entry: Any) -> dict[str, Any]:
        if entry == "nonsense":
            raise ConfigError("the fault: expected a map")
        return {"injected": entry}

    def status(self) -> dict[str, Any]:
        return {"roles": [], "progress": {}, "failure": None}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[ControlDoor]:
    DOWNS.clear()
    door = ControlDoor(FakeTestbed(), tmp_path / "run", lambda: DOWNS.append(1))  # type: ignore[arg-type]
    yield door
    door.close()
    assert not Path(door.path).parent.exists()


def ask(text: str) -> dict[str, Any]:
    return {"verb": "ask", "user": 1, "task": "vqa", "text": text, "image": base64.b64encode(b"png").decode()}


def test_every_verb_is_served(door: ControlDoor, tmp_path: Path) -> None:
    answer = knock(door.path, ask("why?"), 5.0)
    assert (answer["text"], answer["ask_id"]) == ("vqa:why?:3", "a")
    with pytest.raises(LaunchError, match="no terminal state"):
        knock(door.path, ask("late"), 5.0)
    loss = {"fault": "loss"}
    assert knock(door.path, {"verb": "inject", "fault": loss}, 5.0) == {"injected": loss}
    assert knock(door.path, {"verb": "heal"}, 5.0) == {"injected": None}
    with pytest.raises(LaunchError, match="the fault: expected a map"):
        knock(door.path, {"verb": "inject", "fault": "nonsense"}, 5.0)
    door.dashboard = "http://127.0.0.1:1/"
    status = knock(door.path, {"verb": "status"}, 5.0)
    assert (status["run_dir"], status["dashboard"]) == (str(tmp_path / "run"), "http://127.0.0.1:1/")
    knock(door.path, {"verb": "down"}, 5.0)
    assert DOWNS == [1]


def test_only_its_owner_gets_there(door: ControlDoor) -> None:
    assert stat.S_IMODE(Path(door.path).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "line", [b"\xff\n", b"[]\n", b"{}\n", b'{"verb": "dance"}\n', b'{"verb": "ask"}\n', b"\n"]
)
def test_nonsense_gets_an_error_and_harms_nothing(door: ControlDoor, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5.0)
        client.connect(door.path)
        client.sendall(line)
        with client.makefile("rb") as lines:
            assert "error" in json.loads(lines.readline())
    assert knock(door.path, ask("still there?"), 5.0)["state"] == "answered"


def test_a_door_that_is_shut_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="the testbed cannot be reached: No such file"):
        knock(str(tmp_path / "s"), {"verb": "status"}, 1.0)
