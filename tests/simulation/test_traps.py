"""One thing goes wrong at a time: each named trap, and what must come of it."""

from typing import Any

import pytest

from shared.wire.messages import (
    Answer,
    AnswerAck,
    AskResult,
    Cancel,
    Feedback,
    Message,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
)
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, Lose, config, questions, workload
from tests.simulation.stand_ins import StandInGroupPipeline, StandInRequestPipeline
from tests.simulation.world import Mischief, World

N = 6


def run(mischief: Mischief, requests: int = N, **changes: Any) -> World:
    world = World(config(**changes), workload(requests), images=IMAGES, mischief=mischief)
    world.run_workload()
    assert world.told("workload_done")
    world.command("bs", "drain")
    for user in range(world.config.users):
        world.command(f"ue:{user}", "drain")
    world.run(60.0)
    assert [m.role for m in world.told("done")].count("bs") == 1  # type: ignore[attr-defined]
    assert len(world.told("done")) == 1 + world.config.users
    return world


@pytest.mark.parametrize(
    ("lost", "times"),
    [
        (Lose(SymbolFrame, 1), "one frame"),
        (Lose(SymbolFrame, 8), "eight frames"),
        (Lose(SideInfo, 1, to="ce"), "side information"),
        (Lose(SideInfo, 5), "side information and polls"),
        (Lose(Feedback, 2), "feedback"),
        (Lose(Answer, 3), "answers"),
        (Lose(AnswerAck, 3), "acknowledgements"),
    ],
)
def test_a_lost_message_costs_time_and_nothing_else(lost: Lose, times: str) -> None:
    world = run(lost)
    assert lost.left == 0, "the trap was not sprung"
    assert check_invariants(world, questions(N)) == {"ok": N}


def test_a_lost_nack_is_said_again() -> None:
    frame, nack = Lose(SymbolFrame, 1, to="ue:0"), Lose(Feedback, 1, complete=False)
    world = run(lambda m, to, t: frame(m, to, t) and nack(m, to, t))
    assert (frame.left, nack.left) == (0, 0)
    assert check_invariants(world, questions(N)) == {"ok": N}


def test_without_faults_nothing_is_repeated() -> None:
    world = run(lambda m, to, t: [0.0])
    assert check_invariants(world, questions(N)) == {"ok": N}
    assert set(world.transmissions.values()) == {1}
    assert all(m.attempt == 0 for _, _, m in world.sent if isinstance(m, SideInfo | Answer | SymbolFrame))
    assert not world.events("late", "duplicate_answer", "polled", "resent")


def test_everything_twice_is_answered_once() -> None:
    world = run(lambda m, to, t: [0.0, 0.0])
    assert check_invariants(world, questions(N)) == {"ok": N}
    assert len(world.events("duplicate_answer")) >= N
    assert set(world.transmissions.values()) == {1}, "a copy is not a poll"
    # Each of a user's frames goes through two doubling hops: one copy is kept, three are dropped.
    assert world.drops["repeated"] == 3 * len(world.transmissions)


def test_index_map_after_its_frames() -> None:
    world = run(lambda m, to, t: [0.05] if isinstance(m, SideInfo) else [0.0])
    assert check_invariants(world, questions(N)) == {"ok": N}
    assert set(world.transmissions.values()) == {1}


def test_users_who_miss_one_public_frame_share_its_retransmission() -> None:
    def lose_for_two(m: Message, to: str, now_s: float) -> list[float]:
        hit = isinstance(m, SymbolFrame) and m.stream == "public" and m.frame_id == 0 and m.attempt == 0
        return [] if hit and to != "ce" else [0.0]

    world = run(lose_for_two, requests=3)
    again = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame) and m.attempt == 1]
    assert [m.users for m in again] == [(0, 1)]
    assert check_invariants(world, questions(3)) == {"ok": 3}


def test_only_the_one_who_asked_gets_a_public_frame_again() -> None:
    world = run(Lose(SymbolFrame, 1, to="ue:1", stream="public"), requests=3)
    again = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame) and m.attempt == 1]
    assert [(m.stream, m.users) for m in again] == [("public", (1,))]


@pytest.mark.parametrize("max_attempts", [1, 3])
def test_when_every_frame_is_lost_the_answer_is_degraded(max_attempts: int) -> None:
    world = run(
        lambda m, to, t: [] if isinstance(m, SymbolFrame) else [0.0],
        retransmission={"max_attempts": max_attempts},
    )
    assert check_invariants(world) == {"degraded": N}
    assert set(world.transmissions.values()) == {max_attempts}
    assert {e["text"] for e in world.events("degraded")} == {f"{u}:?:?" for u in range(3)}
    assert all(e["latency_ms"] < 10_000 for e in world.events("degraded"))


@pytest.mark.parametrize("kind", [SideInfo, Answer])
def test_when_it_never_arrives_the_request_expires(kind: type[Message]) -> None:
    world = run(lambda m, to, t: [] if isinstance(m, kind) else [0.0])
    assert check_invariants(world) == {"expired": N}
    sides = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SideInfo)]
    assert len(sides) <= N * 2 * world.config.retransmission.max_attempts
    assert sum(isinstance(m, Cancel) and n == "bs" for _, n, m in world.sent) == N


def test_an_answer_after_the_deadline_is_late() -> None:
    slow = World(config(deadline_ms=400), workload(3), images=IMAGES, decode_s=1.0)
    slow.mischief = lambda m, to, t: [] if isinstance(m, Cancel) else [0.0]
    slow.run_workload()
    slow.run(60.0)
    assert check_invariants(slow) == {"expired": 3}
    assert len(slow.events("late")) == 3


def test_a_cancelled_request_is_not_answered() -> None:
    slow = World(config(deadline_ms=400), workload(3), images=IMAGES, decode_s=1.0)
    slow.run_workload()
    slow.run(60.0)
    assert check_invariants(slow) == {"expired": 3}
    assert not [m for _, _, m in slow.sent if isinstance(m, Answer)]


def test_deadline_while_encoding() -> None:
    slow = World(config(deadline_ms=400), workload(3), images=IMAGES, encode_s=1.0)
    slow.run_workload()
    slow.run(60.0)
    assert check_invariants(slow) == {"expired": 3}
    assert not slow.transmissions


def test_a_stage_that_raises_at_the_base_station_fails_that_request_only() -> None:
    def spoil(request: Any) -> None:
        if request.text == "question 1":
            raise RuntimeError("no such\nlayer")

    world = World(config(), workload(6), images=IMAGES, sender=StandInGroupPipeline(spoil))
    world.run_workload()
    assert check_invariants(world, questions(6)) == {"ok": 5, "fail": 1}
    assert world.events("fail")[0]["reason"] == "encode: RuntimeError: no such layer"


def test_a_stage_that_raises_at_the_ue_fails_the_request_with_its_reason() -> None:
    def spoil(side: SideInfo) -> None:
        if side.user == 2:
            raise MemoryError("too much")

    world = World(config(), workload(6), images=IMAGES, receiver=StandInRequestPipeline(spoil))
    world.run_workload()
    assert check_invariants(world, questions(6)) == {"ok": 4, "fail": 2}
    assert {e["reason"] for e in world.events("fail")} == {"ue: decode: MemoryError: too much"}


def test_bad_images_are_refused_and_the_others_go_on() -> None:
    world = World(config(), workload(6), images={"a": IMAGES["a"], "b": b"no picture"})
    world.run_workload()
    assert check_invariants(world, questions(6)) == {"ok": 4, "refused": 2}
    assert {e["reason"] for e in world.events("refused")} == {
        "bad_input: image: not a PNG, JPEG, WEBP, BMP file"
    }
    world = World(config(), workload(6), images={"a": IMAGES["a"]})
    world.run_workload()
    assert check_invariants(world) == {"ok": 4, "refused": 2}


def test_a_busy_base_station_refuses() -> None:
    world = World(config(limits={"open_requests": 2}), workload(3), images=IMAGES)
    world.run_workload()
    assert check_invariants(world) == {"ok": 2, "refused": 1}
    assert world.events("refused")[0]["reason"] == "busy"


def test_asks_of_one_window_form_a_group_and_each_gets_its_result() -> None:
    world = World(config(), images=IMAGES)
    world.run(1.0)
    for user in range(3):
        world.ask("bs", f"ask {user}", user, f"what is {user}?", IMAGES["a"])
    world.ask("bs", "no user", 7, "who?", IMAGES["a"])
    world.ask("bs", "no image", 1, "what?", b"")
    world.run(5.0)
    results = {m.ask_id: (m.state, m.reason) for m in world.told("ask_result") if isinstance(m, AskResult)}
    assert results == {
        "ask 0": ("answered", ""),
        "ask 1": ("answered", ""),
        "ask 2": ("answered", ""),
        "no user": ("refused", "no_user"),
        "no image": ("refused", "bad_input: image: vqa needs one"),
    }
    assert len(world.events("group")) == 1
    assert check_invariants(world) == {"ok": 3, "refused": 2}


@pytest.mark.parametrize("lost", [0, 2])
def test_a_user_asks_over_its_own_uplink(lost: int) -> None:
    world = World(config(), images=IMAGES, mischief=Lose(UplinkRequest, lost))
    world.run(1.0)
    world.ask("ue:1", "mine", 1, "how many?", IMAGES["a"])
    world.ask("ue:1", "empty", 1, "", IMAGES["a"])
    world.run(20.0)
    results = {m.ask_id: m for m in world.told("ask_result") if isinstance(m, AskResult)}
    assert (results["mine"].state, results["mine"].text[:2]) == ("answered", "1:")
    assert (results["empty"].state, results["empty"].reason) == ("refused", "bad_input: text: vqa needs one")
    assert check_invariants(world) == {"ok": 1, "refused": 1}


def test_a_draining_base_station_finishes_what_is_open_and_refuses_the_rest() -> None:
    world = World(config(), images=IMAGES)
    world.run(1.0)
    world.ask("bs", "early", 0, "what?", IMAGES["a"])
    world.command("bs", "drain")
    world.ask("bs", "late", 0, "what?", IMAGES["a"])
    assert not world.told("done")
    world.run(5.0)
    states = {m.ask_id: (m.state, m.reason) for m in world.told("ask_result") if isinstance(m, AskResult)}
    assert states == {"early": ("answered", ""), "late": ("refused", "draining")}
    assert len(world.told("done")) == 1


def test_paced_requests_come_at_their_time() -> None:
    requests = [w.__class__(w.index, 0.5 * w.index, w.user, w.task, w.text, w.image) for w in workload(4)]
    paced = config(workload={"requests_per_s": 2.0})
    world = World(paced, requests, images=IMAGES)
    world.run(1.0)
    started = world.now_s
    world.run_workload()
    times = [e["t"] - started for e in world.events("invoke")]
    assert times == pytest.approx([0.0, 0.5, 1.0, 1.5], abs=1e-6)
    assert check_invariants(world, questions(4)) == {"ok": 4}
