"""The emulator as a process of its own, over real sockets."""

import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from channel_emulator.process import main
from shared.config import RunConfig
from shared.link import ControlHub, DataPeer
from shared.link_types import Link
from shared.spec import RoleSpec
from shared.wire.messages import (
    PROTOCOL_VERSION,
    Command,
    Done,
    Hello,
    Message,
    PeerState,
    Ready,
    SideInfo,
    Welcome,
)

DEADLINE_S = 30.0
M = TypeVar("M", bound=Message)


def _expect(link: Link, kind: type[M]) -> M:
    """The next message of `kind`; others are skipped."""
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        found = link.receive_nowait()
        if found is None:
            time.sleep(0.002)  # a poll with a deadline
        elif isinstance(found[1], kind):
            return found[1]
    raise AssertionError(f"no {kind.KIND} within {DEADLINE_S:g} s")


@pytest.fixture
def agent() -> Iterator[ControlHub]:
    hub = ControlHub()
    yield hub
    hub.close(0)


def _hello(user: int) -> Hello:
    role = "bs" if user < 0 else "ue"
    return Hello(protocol=PROTOCOL_VERSION, role=role, user=user, incarnation=0, fingerprint="f")


def test_from_ready_to_stop(tmp_path: Path, agent: ControlHub) -> None:
    spec = RoleSpec(
        run_id="r", role="ce", user=-1, incarnation=0, config=RunConfig(users=1), run_dir=tmp_path,
        control_endpoint=agent.endpoint, data_endpoint="", host="here",
    )  # fmt: skip
    process = multiprocessing.get_context("spawn").Process(target=main, args=(spec,))
    process.start()
    try:
        endpoint = _expect(agent, Ready).endpoint
        station = DataPeer("bs", 0, endpoint, None)
        user = DataPeer("ue:0", 0, endpoint, None)
        station.send("ce", _hello(-1))
        user.send("ce", _hello(0))
        assert _expect(station, Welcome).user == -1
        assert _expect(user, Welcome).snr_db == 10.0
        assert _expect(station, PeerState).state == "attached"
        side = SideInfo(
            user=0, request_id="r000000", group_id=0, attempt=0, first_use=0, uses=8, energy=8.0,
            deadline_ms=1_000, frames=(), payload=b"m",
        )  # fmt: skip
        station.send("ce", side)
        assert bytes(_expect(user, SideInfo).payload) == b"m"
        agent.send("ce", Command(verb="drain"))
        done = _expect(agent, Done)
        assert (done.verb, done.values["messages_down"], done.values["attached"]) == ("drain", 1, 1)
        for peer in (station, user):
            peer.close(0)
        agent.send("ce", Command(verb="stop"))
        assert _expect(agent, Done).verb == "stop"
        process.join(DEADLINE_S)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()
    journal = (tmp_path / "journal.jsonl").read_text()
    assert '"ready"' in journal
    assert '"peer":"ue:0"' in journal.replace(" ", "")
