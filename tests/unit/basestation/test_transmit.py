"""First transmissions, merged retransmissions, bounds, and the downlink clock."""

from dataclasses import replace

import pytest

from basestation.downlink_clock import DownlinkClock
from basestation.pipeline import AdmittedRequest, GroupPlan
from basestation.requests import RequestRecord
from basestation.transmit import MERGE_WINDOW_S, Transmitter
from shared.config import RetransmissionConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame
from tests.simulation.stand_ins import StandInGroupPipeline

NOW = 5.0
USERS = 3


def group(users: int = USERS) -> tuple[GroupPlan, list[RequestRecord]]:
    """`users` requests about one image: frames 0, 1, 2 public, then one private frame each."""
    names = [f"r{u}" for u in range(users)]
    plan = StandInGroupPipeline().run(
        0, [AdmittedRequest(n, u, "vqa", "?", b"", "key") for u, n in enumerate(names)]
    )
    records = [
        RequestRecord(
            request_id=n, user=u, task="vqa", text="?", image=None, image_key="key", admitted_s=0.0,
            deadline_s=30.0, group_id=0,
        )
        for u, n in enumerate(names)
    ]  # fmt: skip
    return plan, records


def sent(max_attempts: int = 3) -> tuple[Transmitter, list[RequestRecord], list[Message]]:
    transmitter = Transmitter(RetransmissionConfig(max_attempts=max_attempts), DownlinkClock())
    plan, records = group()
    return transmitter, records, transmitter.first_transmission(plan, records, {"r0", "r1", "r2"}, NOW)


def retransmit(transmitter: Transmitter, *asks: tuple[int, tuple[int, ...]]) -> list[SymbolFrame]:
    for user, frames in asks:
        transmitter.ask(0, user, frames, NOW)
    assert transmitter.flush(NOW) == [], "the merge window is open"
    out = transmitter.flush(NOW + MERGE_WINDOW_S)
    assert all(isinstance(m, SymbolFrame) for m in out)
    return out  # type: ignore[return-value]


def test_public_once_then_each_requests_private_frames_and_its_index_map_last() -> None:
    _, _, messages = sent()
    said = [(m.stream, m.users) if isinstance(m, SymbolFrame) else ("map", m.user) for m in messages]  # type: ignore[attr-defined]
    assert said == [("public", (0, 1, 2))] * 3 + [
        step for u in range(3) for step in (("private", (u,)), ("map", u))
    ]


def test_the_downlink_clock_gives_each_use_once_in_order_of_transmission() -> None:
    transmitter, _, messages = sent()
    next_use = 0
    for m in [*messages, *retransmit(transmitter, (0, (0, 3)))]:
        assert isinstance(m, SideInfo | SymbolFrame)
        assert m.first_use == next_use
        next_use += m.uses
    assert transmitter.next_use == next_use


def test_asks_within_the_window_merge_by_frame() -> None:
    transmitter, _, _ = sent()
    again = retransmit(transmitter, (2, (1,)), (0, (1, 3)), (1, (1, 2)), (0, (1,)))
    assert [(f.frame_id, f.users, f.attempt) for f in again] == [
        (1, (0, 1, 2), 1),
        (2, (1,), 1),
        (3, (0,), 1),
    ]


def test_users_at_different_attempts_do_not_merge() -> None:
    transmitter, _, _ = sent()
    retransmit(transmitter, (1, (0,)))
    again = retransmit(transmitter, (0, (0,)), (1, (0,)))
    assert [(f.users, f.attempt) for f in again] == [((0,), 1), ((1,), 2)]


@pytest.mark.parametrize("max_attempts", [1, 2, 3])
def test_no_frame_goes_to_a_user_more_often_than_allowed(max_attempts: int) -> None:
    transmitter, records, messages = sent(max_attempts)
    frames = [m for m in messages if isinstance(m, SymbolFrame) and m.frame_id == 0]
    for _ in range(5):
        frames += retransmit(transmitter, (0, (0,)))
    assert [f.attempt for f in frames] == list(range(max_attempts))
    assert transmitter.attempts(records[0]) == max_attempts


def test_attempts_send_the_versions_that_there_are_in_turn() -> None:
    transmitter = Transmitter(RetransmissionConfig(max_attempts=5), DownlinkClock())
    plan, records = group()
    versions = tuple(replace(plan.frames[1], payload=bytes([n]) * 8) for n in (1, 2))
    transmitter.first_transmission(replace(plan, repeats={1: versions}), records, {"r0", "r1", "r2"}, NOW)
    again = [retransmit(transmitter, (0, (1,)))[0] for _ in range(4)]
    assert [frame.attempt for frame in again] == [1, 2, 3, 4]
    first = bytes(plan.frames[1].payload)
    assert [bytes(frame.payload) for frame in again] == [b"\1" * 8, b"\2" * 8, first, b"\1" * 8]


def test_nobody_gets_what_was_not_meant_for_them_or_does_not_exist() -> None:
    transmitter, _, _ = sent()
    assert retransmit(transmitter, (0, (4, 5, 99))) == [], "frames 4 and 5 are the others'"
    transmitter.ask(77, 0, (0,), NOW)
    assert transmitter.next_wakeup_s() is None


def test_an_absent_user_gets_nothing_now_and_everything_later() -> None:
    transmitter = Transmitter(RetransmissionConfig(), DownlinkClock())
    plan, records = group()
    messages = transmitter.first_transmission(plan, records, {"r0", "r2"}, NOW)
    assert {m.user for m in messages if isinstance(m, SideInfo)} == {0, 2}
    assert all(1 not in m.users for m in messages if isinstance(m, SymbolFrame))
    assert [transmitter.delivered(r) for r in records] == [True, False, True]
    (poll,) = transmitter.poll(records[1], NOW, came_back=True)
    assert isinstance(poll, SideInfo)
    assert poll.attempt == 0
    assert [f.attempt for f in retransmit(transmitter, (1, (0, 1, 2, 4)))] == [0, 0, 0, 0]


def test_requests_that_ended_during_encoding_are_not_transmitted() -> None:
    transmitter = Transmitter(RetransmissionConfig(), DownlinkClock())
    plan, records = group()
    messages = transmitter.first_transmission(plan, records[:1], {"r0", "r1", "r2"}, NOW)
    assert all(m.users == (0,) for m in messages if isinstance(m, SymbolFrame))
    assert len(messages) == 1 + 3 + 1


def test_polls_are_bounded_and_tell_the_time_that_is_left() -> None:
    transmitter, records, _ = sent(max_attempts=2)
    polls = [m for i in range(9) for m in transmitter.poll(records[0], NOW + i)]
    assert [p.attempt for p in polls if isinstance(p, SideInfo)] == [1, 2, 3]
    assert [p.deadline_ms for p in polls if isinstance(p, SideInfo)] == [25_000, 24_000, 23_000]
    assert transmitter.poll(records[0], NOW, came_back=True)


def test_the_last_request_takes_the_groups_frames_with_it() -> None:
    transmitter, records, _ = sent()
    for r in records[:2]:
        transmitter.forget(r)
    assert transmitter.requests_of(0) == {"r2"}
    transmitter.forget(records[2])
    transmitter.ask(0, 2, (0,), NOW)
    assert transmitter.next_wakeup_s() is None
    assert transmitter.poll(records[2], NOW) == []
    transmitter.forget(records[2])
