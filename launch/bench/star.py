"""A base station's and users' ends of real connections to a hub: the emulator's process, or a forwarder's.

The ends are bare ZeroMQ sockets that speak the testbed's protocol as far as it must be spoken: greetings, and
credit from the users. Messages are encoded beforehand and not decoded, so that the ends cost little and the
same with either hub.
"""

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

import zmq

from channel_emulator.process import main as emulator_main
from launch.bench.emulator import config_for, frame_for, hello
from launch.bench.forwarder import forward
from launch.errors import LaunchError
from launch.guardian import die_with_parent
from shared.config import LivenessConfig
from shared.link import ControlHub
from shared.link_types import wire_bytes_of
from shared.routing import peer_name, routing_id
from shared.spec import RoleSpec
from shared.wire.codec import Part, encode
from shared.wire.messages import Answer, Command, Credit, Message, Ready

Hub = Literal["emulator", "forwarder"]
AHEAD: Final = 4
"""So many frames are on their way at a time."""
DEADLINE_S: Final = 60
_DEADLINE_MS: Final = 1_000 * DEADLINE_S
_REPORT_BYTES: Final = 2**20
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Shape:
    """Users, and the channel uses of every frame that they all get."""

    receivers: int
    uses: int
    seed: int = 0


class Ends:
    """Everything but the hub. Raises `LaunchError` when nothing arrives for `DEADLINE_S`."""

    def __init__(self, endpoint: str, shape: Shape, welcomes: bool) -> None:
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._station = self._connect("bs", endpoint)
        self._users = [self._connect(peer_name("ue", u), endpoint) for u in range(shape.receivers)]
        self._frame = encode(frame_for(shape.receivers, shape.uses, shape.seed))
        self._answer = encode(_answer())
        self._consumed = [0] * shape.receivers
        self._reported = [0] * shape.receivers
        self._welcomes = welcomes

    def attach(self, all_known: Callable[[], object]) -> None:
        """Greet; `all_known` waits for what the hub says of that, if it says anything."""
        for number, socket in enumerate((self._station, *self._users)):
            socket.send_multipart(encode(hello(number - 1)))
        all_known()
        if self._welcomes:
            for socket in (self._station, *self._users):
                self._receive(socket)

    def send_all(self, frames: int) -> None:
        """Until every user has so many frames, a few ahead of the slowest."""
        sent, taken = 0, [0] * len(self._users)
        while (least := min(taken)) < frames:
            while sent < min(frames, least + AHEAD):
                self._station.send_multipart(self._frame, copy=False)
                sent += 1
            ready = self._wait()
            for number, socket in enumerate(self._users):
                if socket in ready:
                    self._took(number, socket.recv_multipart(copy=False))
                    taken[number] += 1
            if self._station in ready:  # news of the session
                self._station.recv_multipart(copy=False)

    def round_trip_s(self) -> float:
        """From a frame's sending to the arrival of the first user's answer."""
        began_s = time.perf_counter()
        self._station.send_multipart(self._frame, copy=False)
        for number, socket in enumerate(self._users):
            self._took(number, self._receive(socket))
        self._users[0].send_multipart(self._answer)
        self._receive(self._station)
        return time.perf_counter() - began_s

    def close(self) -> None:
        self._context.destroy(0)

    def _connect(self, name: str, endpoint: str) -> "zmq.Socket[bytes]":
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.ROUTING_ID, routing_id(name, 0))
        socket.connect(endpoint)
        self._poller.register(socket, zmq.POLLIN)
        return socket

    def _wait(self) -> "dict[zmq.Socket[bytes], int]":
        ready = dict(self._poller.poll(_DEADLINE_MS))
        if not ready:
            raise LaunchError(f"bench: the hub was silent for {DEADLINE_S} s")
        return ready

    def _receive(self, socket: "zmq.Socket[bytes]") -> list[zmq.Frame]:
        if not socket.poll(_DEADLINE_MS):
            raise LaunchError(f"bench: the hub was silent for {DEADLINE_S} s")
        return socket.recv_multipart(copy=False)

    def _took(self, user: int, parts: list[zmq.Frame]) -> None:
        views: list[Part] = [part.buffer for part in parts]
        self._consumed[user] += wire_bytes_of(views)
        if self._welcomes and self._consumed[user] - self._reported[user] >= _REPORT_BYTES:
            self._reported[user] = self._consumed[user]
            report = Credit(user=user, incarnation=0, consumed_bytes=self._consumed[user])
            self._users[user].send_multipart(encode(report))


@contextlib.contextmanager
def star(hub: Hub, shape: Shape) -> Iterator[Ends]:
    """A hub in a process of its own, and its ends, attached. All of it is gone afterwards."""
    with _emulator(shape) if hub == "emulator" else _forwarder(shape) as (ends, all_known):
        try:
            ends.attach(all_known)
            yield ends
        finally:
            ends.close()


Attachable = tuple[Ends, Callable[[], object]]


@contextlib.contextmanager
def _forwarder(shape: Shape) -> Iterator[Attachable]:
    ours, theirs = _SPAWN.Pipe()
    with _running(_as_child, os.getpid(), forward, shape.receivers, theirs):
        theirs.close()
        with ours:
            yield Ends(str(_said(ours)), shape, welcomes=False), lambda: _said(ours)


@contextlib.contextmanager
def _emulator(shape: Shape) -> Iterator[Attachable]:
    config = config_for("awgn", shape.receivers, shape.seed)
    patient = LivenessConfig(timeout_ms=_DEADLINE_MS)  # the ends send no heartbeats
    agent = ControlHub()
    with TemporaryDirectory(prefix="m4sc-bench-") as folder:
        spec = RoleSpec(
            run_id="bench", role="ce", user=-1, incarnation=0, run_dir=Path(folder), host="here",
            config=config.model_copy(update={"liveness": patient}),
            control_endpoint=agent.endpoint, data_endpoint="",
        )  # fmt: skip
        try:
            with _running(_as_child, os.getpid(), emulator_main, spec):
                yield Ends(_told(agent, Ready).endpoint, shape, welcomes=True), lambda: None
                agent.send("ce", Command(verb="stop"))
        finally:
            agent.close(0)


@contextlib.contextmanager
def _running(target: Callable[..., object], *args: object) -> Iterator[BaseProcess]:
    process = _SPAWN.Process(target=target, args=args)
    process.start()
    try:
        yield process
        process.join(2.0)
    finally:
        process.kill()
        process.join()


def _as_child(parent_pid: int, work: Callable[..., object], *args: object) -> None:
    die_with_parent(parent_pid)
    work(*args)


def _said(pipe: Connection) -> object:
    if not pipe.poll(DEADLINE_S):
        raise LaunchError(f"bench: the forwarder was silent for {DEADLINE_S} s")
    return pipe.recv()


def _told(agent: ControlHub, kind: type[Ready]) -> Ready:
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:
        found = agent.receive_nowait()
        if found is None:
            time.sleep(0.002)  # a poll with a deadline: this link has no other wait outside an event loop
        elif isinstance(found[1], kind):
            return found[1]
    raise LaunchError(f"bench: the emulator was not ready within {DEADLINE_S} s")


def _answer() -> Message:
    return Answer(
        user=0, incarnation=0, request_id="r000000", attempt=0, status="ok", reason="", text="red",
        token_ids=(1,), control_text=None, erased_tokens=0, digest="", stage_ms={},
    )  # fmt: skip
