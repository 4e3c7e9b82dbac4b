"""Assembly, NACKs, giving up, and bounded memory."""

import math
from dataclasses import replace

import pytest

from basestation.pipeline import AdmittedRequest
from shared.config import RetransmissionConfig
from shared.wire.messages import Feedback, SideInfo, SymbolFrame
from tests.simulation.stand_ins import StandInGroupPipeline
from userequipment import receive
from userequipment.group_frames import Reception
from userequipment.receive import Receiver


def receiver(max_attempts: int = 3, max_bytes: int = 10_000, max_requests: int = 8) -> Receiver:
    config = RetransmissionConfig(max_attempts=max_attempts, nack_after_ms=60)
    return Receiver(0, config, max_bytes, max_requests, keep_s=30.0)


def message_set(group: int = 0, text: str = "?") -> tuple[SideInfo, list[SymbolFrame]]:
    """One request with four private frames (14 tokens)."""
    name = f"r{group}"
    plan = StandInGroupPipeline().run(group, [AdmittedRequest(name, 0, "vqa", text, None, None)])
    return replace(plan.side[name], deadline_ms=30_000), list(plan.frames)


def ticks(r: Receiver, until_s: float) -> list[tuple[float, Feedback | Reception]]:
    """Tick when the receiver wants it, the emulator being heard all the time."""
    out: list[tuple[float, Feedback | Reception]] = []
    while (wake := r.next_wakeup_s(until_s)) is not None and wake <= until_s:
        out += [(round(wake, 3), o) for o in r.on_tick(wake, heard_s=wake)]
    return out


def test_complete_means_acknowledged_and_handed_over() -> None:
    side, frames = message_set()
    r = receiver()
    assert r.on_side_info(side, 0.0) == []
    assert [o for f in frames[:-1] for o in r.on_frame(f, 0.0)] == []
    ack, reception = r.on_frame(frames[-1], 0.0)
    assert isinstance(ack, Feedback)
    assert ack.complete
    assert reception == Reception(side, {f.frame_id: (f,) for f in frames})
    assert len(r) == 0


def test_frames_before_their_index_map_are_kept() -> None:
    side, frames = message_set()
    r = receiver()
    for f in reversed(frames):
        assert r.on_frame(f, 0.0) == []
    assert [type(o) for o in r.on_side_info(side, 0.01)] == [Feedback, Reception]


def test_nacks_name_what_is_missing_back_off_and_end_in_erasures() -> None:
    side, frames = message_set()
    r = receiver(max_attempts=2)
    r.on_side_info(side, 0.0)
    r.on_frame(frames[1], 0.1)
    out = ticks(r, 10.0)
    assert [t for t, _ in out] == [0.16, 0.28, 0.52]
    nacks = [o for _, o in out if isinstance(o, Feedback)]
    assert [(n.complete, n.missing_frames, n.attempt) for n in nacks] == [
        (False, (0, 2, 3), 1),
        (False, (0, 2, 3), 2),
    ]
    last = out[-1][1]
    assert isinstance(last, Reception)
    assert last.frames == {1: (frames[1],)}


def test_without_retransmission_there_is_no_nack() -> None:
    side, _ = message_set()
    r = receiver(max_attempts=1)
    r.on_side_info(side, 0.0)
    assert [(t, type(o)) for t, o in ticks(r, 10.0)] == [(0.06, Reception)]


def test_nothing_is_given_up_on_a_silent_link() -> None:
    side, _ = message_set()
    r = receiver(max_attempts=2)
    r.on_side_info(side, 0.0)
    out = [o for t in range(1, 40) for o in r.on_tick(t / 10, heard_s=0.0)]
    assert [type(o) for o in out] == [Feedback, Feedback]
    assert r.next_wakeup_s(0.0) == 30.0, "the deadline only"
    r.attached_anew(5.0)
    assert isinstance(r.on_tick(5.06, heard_s=5.0)[0], Feedback)


def test_a_poll_is_answered_with_what_is_missing_a_copy_is_not() -> None:
    side, frames = message_set()
    r = receiver()
    r.on_side_info(side, 0.0)
    for f in frames[:3]:
        r.on_frame(f, 0.0)
    assert r.on_side_info(side, 0.01) == []
    (nack,) = r.on_side_info(replace(side, attempt=1), 0.02)
    assert isinstance(nack, Feedback)
    assert nack.missing_frames == (3,)


def test_frames_without_an_index_map_ask_for_it_a_bounded_number_of_times() -> None:
    _, frames = message_set()
    r = receiver(max_attempts=2)
    r.on_frame(frames[0], 0.0)
    out = ticks(r, 20.0)
    assert [t for t, _ in out] == [0.48, 0.96], "patiently: its map may still be on the way"
    assert all(isinstance(o, Feedback) and o.side_missing and o.group_id == 0 for _, o in out)
    ticks(r, 40.0)
    assert r.next_wakeup_s(40.0) is None, "forgotten after keep_s"


def test_a_frame_that_is_not_the_one_meant_is_missing() -> None:
    side, frames = message_set()
    r = receiver(max_attempts=1)
    r.on_side_info(side, 0.0)
    r.on_frame(replace(frames[0], stream="public"), 0.0)
    r.on_frame(replace(frames[1], first_token=5), 0.0)
    for f in frames[2:]:
        r.on_frame(f, 0.0)
    ((_, reception),) = ticks(r, 1.0)
    assert isinstance(reception, Reception)
    assert set(reception.frames) == {2, 3}


def test_the_first_copy_of_a_frame_counts() -> None:
    side, frames = message_set()
    r = receiver()
    r.on_side_info(side, 0.0)
    for f in frames[:3]:
        r.on_frame(f, 0.0)
    r.on_frame(replace(frames[0], attempt=1), 0.0)
    _, reception = r.on_frame(frames[3], 0.0)
    assert isinstance(reception, Reception)
    assert [copy.attempt for copy in reception.frames[0]] == [0]


def test_a_repeated_transmission_is_known_and_a_retransmission_is_none() -> None:
    _, frames = message_set()
    r = receiver()
    assert not r.has(frames[0])
    r.on_frame(frames[0], 0.0)
    assert r.has(frames[0])
    assert r.has(replace(frames[0], payload=bytes(len(frames[0].payload)))), "whatever it says"
    assert not r.has(replace(frames[0], attempt=1))
    assert not r.has(frames[1])
    assert not r.has(replace(frames[0], group_id=1))


def test_at_the_deadline_a_request_is_forgotten() -> None:
    side, _ = message_set()
    r = receiver()
    r.on_side_info(replace(side, deadline_ms=50), 0.0)
    assert r.on_tick(0.05, 0.05) == []
    assert len(r) == 0


def test_memory_is_bounded_in_bytes_requests_and_groups() -> None:
    r = receiver(max_bytes=100, max_requests=2)
    sides = [message_set(g) for g in range(4)]
    for side, frames in sides[:3]:
        r.on_side_info(side, 0.0)
        r.on_frame(frames[0], 0.0)
    assert len(r) == 2
    assert r.overflows == 1
    for f in sides[0][1]:
        r.on_frame(f, 0.1)
    assert r.overflows > 1
    assert 0 < sum(g.frames.bytes for g in r._groups.values()) <= 100
    for group in range(1_000, 1_000 + 2 * receive.MAX_GROUPS):
        r.on_frame(message_set(group)[1][0], 0.2)
    assert len(r._groups) <= receive.MAX_GROUPS


@pytest.mark.parametrize("waiting", [True, False])
def test_cancel(waiting: bool) -> None:
    side, _ = message_set()
    r = receiver()
    if waiting:
        r.on_side_info(side, 0.0)
    assert r.cancel(side.request_id) is waiting
    assert len(r) == 0


def faint(least_snr_db: float, snr_db: float, max_attempts: int = 3) -> Receiver:
    """Every copy has `snr_db`; copies add up."""
    config = RetransmissionConfig(max_attempts=max_attempts, nack_after_ms=60, least_snr_db=least_snr_db)
    return Receiver(0, config, 10_000, 8, 30.0, quality=lambda copies: snr_db + 10 * math.log10(len(copies)))


def test_a_faint_frame_is_asked_for_until_its_copies_are_good_together() -> None:
    side, frames = message_set()
    r = faint(least_snr_db=5.0, snr_db=3.0)
    r.on_side_info(side, 0.0)
    assert [o for f in frames for o in r.on_frame(f, 0.0)] == []
    ((_, nack),) = ticks(r, 0.1)
    assert isinstance(nack, Feedback)
    assert nack.missing_frames == tuple(f.frame_id for f in frames)
    again = [replace(f, attempt=1) for f in frames]
    assert [o for f in again[:-1] for o in r.on_frame(f, 0.15)] == []
    assert r.on_frame(again[0], 0.15) == [], "the same attempt twice adds nothing"
    ack, reception = r.on_frame(again[-1], 0.15)
    assert isinstance(ack, Feedback)
    assert isinstance(reception, Reception)
    assert ack.complete
    assert {len(copies) for copies in reception.frames.values()} == {2}


def test_after_the_last_attempt_what_is_there_must_do() -> None:
    side, frames = message_set()
    r = faint(least_snr_db=30.0, snr_db=0.0, max_attempts=2)
    r.on_side_info(side, 0.0)
    for attempt in (0, 1):
        out = [o for f in frames for o in r.on_frame(replace(f, attempt=attempt), 0.0)]
    assert [type(o) for o in out] == [Feedback, Reception]


def test_where_copies_are_not_combined_one_is_kept() -> None:
    side, frames = message_set()
    r = Receiver(0, RetransmissionConfig(), 10_000, 8, 30.0)
    r.on_side_info(side, 0.0)
    out = [o for f in (frames[0], *frames) for o in r.on_frame(f, 0.0)]
    assert [type(o) for o in out] == [Feedback, Reception]


def sum_of(*frames: SymbolFrame) -> SymbolFrame:
    """As the base station sends it again."""
    first, *others = frames
    return replace(first, attempt=1, added=tuple((f.frame_id, f.first_token, f.n_tokens) for f in others))


def public_set() -> tuple[SideInfo, list[SymbolFrame]]:
    """Two requests about one image: what user 0 is sent, three public frames first."""
    requests = [AdmittedRequest(f"r{u}", u, "vqa", "?", b"", "key") for u in range(2)]
    plan = StandInGroupPipeline().run(0, requests)
    side = replace(plan.side["r0"], deadline_ms=30_000)
    mine = {named[0] for named in side.frames}
    return side, [frame for frame in plan.frames if frame.frame_id in mine]


def test_a_frame_that_is_what_is_left_of_a_sum_is_there() -> None:
    side, frames = public_set()
    r = receiver()
    r.on_side_info(side, 0.0)
    for frame in frames[1:]:
        assert r.on_frame(frame, 0.0) == []
    added = sum_of(frames[1], frames[0], frames[2])
    ack, reception = r.on_frame(added, 0.1)
    assert isinstance(ack, Feedback)
    assert ack.complete
    assert isinstance(reception, Reception)
    assert reception.frames == {f.frame_id: (f,) for f in frames[1:]} | {frames[0].frame_id: (added,)}


def test_a_sum_waits_for_what_it_lacks_and_is_asked_for_meanwhile() -> None:
    side, frames = public_set()
    r = receiver()
    r.on_side_info(side, 0.0)
    for frame in frames[2:]:
        r.on_frame(frame, 0.0)
    assert r.on_frame(sum_of(frames[0], frames[1]), 0.0) == []
    (_, nack), *_ = ticks(r, 0.1)
    assert isinstance(nack, Feedback)
    assert nack.missing_frames == (frames[0].frame_id, frames[1].frame_id)
    again = replace(frames[1], attempt=2)
    _, reception = r.on_frame(again, 0.2)
    assert isinstance(reception, Reception)
    assert reception.frames[frames[1].frame_id] == (again,)
    assert reception.frames[frames[0].frame_id][0].added


def test_a_sum_that_says_nothing_new_is_not_kept_and_one_of_other_frames_is_no_answer() -> None:
    side, frames = public_set()
    r = receiver(max_attempts=1)
    r.on_side_info(side, 0.0)
    for frame in frames[1:]:
        r.on_frame(frame, 0.0)
    useless = sum_of(frames[1], frames[2])
    r.on_frame(useless, 0.0)
    assert not r.has(useless)
    other = replace(sum_of(frames[1], frames[0]), added=((frames[0].frame_id, 40, 1),))
    r.on_frame(other, 0.0)
    assert r.has(other)
    ((_, reception),) = ticks(r, 1.0)
    assert isinstance(reception, Reception)
    assert frames[0].frame_id not in reception.frames


def test_sums_count_as_memory_and_go_with_their_group() -> None:
    _, frames = public_set()
    size = len(frames[0].payload)
    r = receiver(max_bytes=4 * size)
    for number in range(8):
        r.on_frame(replace(sum_of(frames[0], frames[1]), attempt=number), 0.0)
    assert r.overflows == 4
    ticks(r, 100.0)
    for number in range(4):
        r.on_frame(replace(sum_of(frames[0], frames[1]), attempt=number), 200.0)
    assert r.overflows == 4
