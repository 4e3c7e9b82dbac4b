"""First transmissions, merged retransmissions, bounds, and the downlink clock."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from basestation.added_up import Adding
from basestation.downlink_clock import DownlinkClock
from basestation.pipeline import AdmittedRequest, GroupPlan
from basestation.requests import RequestRecord
from basestation.transmit import LONGEST_WAIT, Transmitter
from shared.air.carry import carried
from shared.air.samples import from_wire
from shared.config import ChannelConfig, RetransmissionConfig, RunConfig
from shared.wire.messages import Message, SideInfo, SymbolFrame
from tests.simulation.stand_ins import StandInGroupPipeline

NOW = 5.0
USERS = 3
LONGEST_WAIT_S = LONGEST_WAIT * RetransmissionConfig().nack_after_ms / 1e3


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
    """What is sent again when users say that they lack frames, and no others; the rest say nothing."""
    records = group()[1]
    for user, frames in asks:
        transmitter.heard(records[user], frames, NOW)
    out = transmitter.flush(NOW + LONGEST_WAIT_S)
    assert transmitter.next_wakeup_s() is None
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


def test_what_is_asked_for_by_several_is_sent_once() -> None:
    transmitter, _, _ = sent()
    again = retransmit(transmitter, (2, (1,)), (0, (1, 3)), (1, (1, 2)), (0, (1,)))
    assert [(f.frame_id, f.users, f.attempt) for f in again] == [
        (1, (0, 1, 2), 1),
        (2, (1,), 1),
        (3, (0,), 1),
    ]


def test_it_is_sent_when_all_have_said_what_they_lack_and_soon_in_any_case() -> None:
    transmitter, records, _ = sent()
    for record, missing in zip(records[:2], ((1,), ()), strict=True):
        transmitter.heard(record, missing, NOW)
        assert transmitter.next_wakeup_s() == NOW + LONGEST_WAIT_S, "user 2 may lack it too"
    assert transmitter.flush(NOW + 0.99 * LONGEST_WAIT_S) == []
    transmitter.heard(records[2], (1, 2), NOW + 0.01)
    assert transmitter.next_wakeup_s() == NOW + 0.01
    assert [f.users for f in transmitter.flush(NOW + 0.01)] == [(0, 2), (2,)]  # type: ignore[attr-defined]
    # user 1 has said all; the others have to speak again
    transmitter.heard(records[2], (1,), NOW + 0.2)
    assert transmitter.next_wakeup_s() == NOW + 0.2 + LONGEST_WAIT_S
    transmitter.heard(records[0], (), NOW + 0.21)
    assert [f.users for f in transmitter.flush(NOW + 0.21)] == [(2,)]  # type: ignore[attr-defined]


def test_a_private_frame_waits_for_nobody() -> None:
    transmitter, records, _ = sent()
    transmitter.heard(records[0], (3,), NOW)
    assert [f.users for f in transmitter.flush(NOW)] == [(0,)]  # type: ignore[attr-defined]


def test_who_has_not_said_what_it_has_is_sent_what_others_ask_for() -> None:
    """Its NACK may be lost, and the frame is on the air for all."""
    transmitter, records, _ = sent()
    assert [(f.frame_id, f.users) for f in retransmit(transmitter, (1, (0,)))] == [(0, (0, 1, 2))]
    # user 2 has all by now, user 0 has not said; it is not sent its last attempt unasked
    transmitter.heard(records[2], (), NOW)
    assert [(f.users, f.attempt) for f in retransmit(transmitter, (1, (0,)))] == [((1,), 2)]
    assert [(f.users, f.attempt) for f in retransmit(transmitter, (0, (0,)))] == [((0,), 2)]


def test_an_ended_request_is_sent_nothing_more() -> None:
    transmitter, records, _ = sent()
    transmitter.heard(records[0], (0, 3), NOW)
    for record in (records[0], records[2]):
        transmitter.forget(record)
    assert [f.users for f in retransmit(transmitter, (1, (0,)))] == [(1,)]


def test_users_at_different_attempts_do_not_merge() -> None:
    transmitter, records, _ = sent()
    for record in (records[0], records[2]):
        transmitter.heard(record, (), NOW)
    retransmit(transmitter, (1, (0,)))
    again = retransmit(transmitter, (0, (0,)), (1, (0,)))
    assert [(f.users, f.attempt) for f in again] == [((0,), 1), ((1,), 2)]


def adding(snr_db: float = 15.0, **changes: Any) -> Adding:
    channel = ChannelConfig(model="awgn", csi="genie", snr_db=snr_db)
    return Adding(RunConfig(channel=channel, **changes))


def adds(most: Adding) -> tuple[Transmitter, list[RequestRecord], list[Message]]:
    transmitter = Transmitter(RetransmissionConfig(), DownlinkClock(), most)
    plan, records = group()
    plan = replace(plan, frames=tuple(analog(f) for f in plan.frames), may_add=True)
    return transmitter, records, transmitter.first_transmission(plan, records, {"r0", "r1", "r2"}, NOW)


def analog(frame: SymbolFrame) -> SymbolFrame:
    """The frame with symbols of a real codec's kind: frame n's are all n + 1."""
    body_U = np.full(frame.n_tokens * 2, frame.frame_id + 1, np.complex64)
    return replace(frame, uses_per_token=2, **carried(adding().config.channel, body_U))


def test_what_different_users_lack_is_added_up() -> None:
    """Each of the three lacks one public frame; one transmission serves them all."""
    transmitter, _, messages = adds(adding())
    (again,) = retransmit(transmitter, (0, (0,)), (1, (1,)), (2, (2,)))
    first, *others = [m for m in messages if isinstance(m, SymbolFrame) and m.stream == "public"]
    assert (again.users, again.attempt, again.frame_id) == ((0, 1, 2), 1, first.frame_id)
    assert again.added == tuple((f.frame_id, f.first_token, f.n_tokens) for f in others)
    assert again.uses == first.uses
    assert again.first_use == max(m.first_use + m.uses for m in messages)  # type: ignore[attr-defined]
    sent_U = from_wire(again.payload, again.sample_format, again.full_scale, again.uses)
    expected = (1 + 2j + 3 * (1j - 1) / 2**0.5) / 3**0.5
    np.testing.assert_allclose(sent_U, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("asks", "carried_frames"),
    [
        (((0, (0,)), (1, (1,))), [(0, 1)]),
        (((0, (0, 1)), (1, (1,))), [(0,), (1,)]),  # user 0 lacks both
        (((0, (0, 1)), (1, (2,)), (2, ())), [(0, 2), (1,)]),
        (((0, (0, 3)), (1, (1, 4))), [(3,), (4,), (0, 1)]),  # private frames are nobody else's
    ],
)  # fmt: skip
def test_frames_go_together_where_everybody_who_lacks_one_has_the_others(
    asks: tuple[tuple[int, tuple[int, ...]], ...], carried_frames: list[tuple[int, ...]]
) -> None:
    transmitter, _, _ = adds(adding())
    again = retransmit(transmitter, *asks)
    assert [(f.frame_id, *(added[0] for added in f.added)) for f in again] == carried_frames


@pytest.mark.parametrize(
    ("most", "frames"),
    [
        (adding(15.0), 3),
        (adding(14.0), 2),  # three would leave 14 - 7 dB
        (adding(12.0), 1),
        (adding(30.0, retransmission={"frames_at_once": 2}), 2),
        (adding(30.0, retransmission={"frames_at_once": 1}), 1),
        (adding(30.0, retransmission={"least_snr_db": 5.0}), 1),
        (Adding(RunConfig(channel=ChannelConfig(model="ideal"))), 1),
        (Adding(RunConfig(channel=ChannelConfig(model="awgn", mode="digital", snr_db=30.0))), 1),
    ],
)  # fmt: skip
def test_as_many_are_added_as_the_noise_allows(most: Adding, frames: int) -> None:
    assert most.most(0) == frames


def test_attempts_at_frames_that_were_added_up_are_counted_for_each() -> None:
    transmitter, records, _ = adds(adding())
    for _ in range(4):
        retransmit(transmitter, (0, (0,)), (1, (1,)))
    assert [transmitter.attempts(r) for r in records[:2]] == [3, 3]
    assert retransmit(transmitter, (2, (2,)))[0].attempt == 1


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
    transmitter.heard(replace(group()[1][0], group_id=77), (0,), NOW)
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
    transmitter.heard(records[2], (0,), NOW)
    assert transmitter.next_wakeup_s() is None
    assert transmitter.poll(records[2], NOW) == []
    transmitter.forget(records[2])
