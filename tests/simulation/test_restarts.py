"""A role goes away and comes back; what was open goes on, or fails with a reason."""

from shared.wire.messages import Answer, Message, SideInfo, SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, config, questions, workload
from tests.simulation.world import World


def test_a_ue_that_restarts_in_mid_request_answers_it() -> None:
    world = World(config(), workload(3), images=IMAGES, decode_s=1.0)
    world.at(world.now_s + 0.5, lambda: world.kill("ue:1"))
    world.at(world.now_s + 2.0, lambda: world.start("ue:1"))
    world.run_workload()
    assert check_invariants(world, questions(3)) == {"ok": 3}
    answers = [m for _, n, m in world.sent if n == "ue:1" and isinstance(m, Answer)]
    assert {a.incarnation for a in answers} == {1}


def test_a_ue_that_stays_away_fails_its_request_at_the_deadline() -> None:
    world = World(config(deadline_ms=8_000), workload(3), images=IMAGES, decode_s=1.0)
    world.at(world.now_s + 0.5, lambda: world.kill("ue:1"))
    world.run_workload()
    assert check_invariants(world) == {"ok": 2, "fail": 1}
    assert world.events("fail")[0]["reason"] == "user_left"


def test_a_ue_that_stays_away_delays_nobody_else() -> None:
    """An unpaced workload waits for its open groups, but not for those of a user who is gone."""
    world = World(config(deadline_ms=60_000), workload(60), images=IMAGES, decode_s=0.1)
    world.at(world.now_s + 0.5, lambda: world.kill("ue:1"))
    world.run_workload()
    ends = check_invariants(world)
    assert ends["ok"] >= 40
    reasons = {(e["event"], e["reason"]) for e in world.events("fail", "refused")}
    assert reasons == {("fail", "user_left"), ("refused", "no_user")}
    assert {e["user"] for e in world.events("fail", "refused")} == {1}
    silence_s = world.config.liveness.timeout_ms / 1e3
    others_done_s = max(e["t"] for e in world.events("ok")) - 100.5
    assert others_done_s < 2 * silence_s + 10 * 0.2 + 1.0, "noticed, forgiven, and then 20 groups"


def test_a_user_away_for_long_is_refused() -> None:
    world = World(config(), images=IMAGES)
    world.run(1.0)
    world.kill("ue:1")
    world.run(20.0)
    world.ask("bs", "gone", 1, "there?", IMAGES["a"])
    world.run(1.0)
    assert world.told("ask_result")[0].reason == "no_user"  # type: ignore[attr-defined]


def test_a_ue_that_was_replaced_while_stopped_is_fenced_when_it_wakes() -> None:
    world = World(config(), workload(9), images=IMAGES, decode_s=0.5)
    stopped = []
    world.at(world.now_s + 0.2, lambda: stopped.append(world.freeze("ue:1")))
    world.at(world.now_s + 7.0, lambda: world.start("ue:1"))
    world.at(world.now_s + 7.5, lambda: world.thaw(stopped[0]))
    world.run_workload()
    world.run(5.0)
    assert check_invariants(world, questions(9)) == {"ok": 9}
    assert stopped[0].exit is not None
    assert (stopped[0].exit.code, stopped[0].exit.detail) == (
        4,
        "refused by the emulator: fenced: incarnation 0 has been replaced by 1",
    )
    assert not world.told("role_failed"), "it does not speak for its successor"


def test_a_ue_that_was_stopped_and_goes_on_answers() -> None:
    world = World(config(), workload(9), images=IMAGES, decode_s=0.5)
    stopped = []
    world.at(world.now_s + 0.2, lambda: stopped.append(world.freeze("ue:1")))
    world.at(world.now_s + 9.0, lambda: world.thaw(stopped[0]))
    world.run_workload()
    assert check_invariants(world, questions(9)) == {"ok": 9}


def test_the_emulator_restarts_and_everything_goes_on() -> None:
    world = World(config(), workload(6), images=IMAGES, decode_s=0.5)
    world.at(world.now_s + 0.3, lambda: world.kill("ce"))
    world.at(world.now_s + 1.0, lambda: world.start("ce"))
    world.run_workload()
    assert check_invariants(world, questions(6)) == {"ok": 6}
    detached = [e for e in world.journal if e["event"] == "process" and e["what"] == "detached"]
    assert {e["role"] for e in detached} == {"bs", "ue"}
    heartbeat_s = world.config.liveness.heartbeat_ms / 1e3
    back = [e["t"] for e in world.journal if e.get("what") == "attached" and e["t"] > detached[0]["t"]]
    assert max(back) - detached[0]["t"] <= heartbeat_s + 0.1, "nobody waits for the silence to be long"
    assert not [n for n in world.nodes.values() if n.exit]


def test_peers_give_up_on_an_emulator_that_never_comes() -> None:
    world = World(config(), images=IMAGES)
    world.kill("ce")
    world.run(100.0)
    exits = {name: node.exit.code for name, node in world.nodes.items() if node.exit}
    assert exits == {"bs": 5, "ue:0": 5, "ue:1": 5, "ue:2": 5}
    assert {m.detail for m in world.told("role_failed")} == {"no channel emulator answered for 60 s"}  # type: ignore[attr-defined]


def test_the_workload_waits_until_all_users_are_there() -> None:
    world = World(config(), workload(3), images=IMAGES)
    world.kill("ue:2")
    world.at(world.now_s + 3.0, lambda: world.start("ue:2"))
    world.run_workload()
    assert min(e["t"] for e in world.events("invoke")) > 103.0
    assert check_invariants(world, questions(3)) == {"ok": 3}
    assert set(world.transmissions.values()) == {1}


def test_but_not_for_ever() -> None:
    world = World(config(), workload(3), images=IMAGES)
    world.kill("ue:2")
    world.run_workload()
    assert check_invariants(world, questions(3)) == {"ok": 2, "fail": 1}


def test_slow_neighbours_cause_no_retransmission() -> None:
    """Frames trickle in; each user waits for its own for longer than a NACK time; nobody asks again."""
    clock = [0.0]

    def trickle(m: Message, to: str, now_s: float) -> list[float]:
        if not isinstance(m, SymbolFrame | SideInfo) or to == "ce":
            return [0.0]
        clock[0] = max(clock[0], now_s) + 0.03
        return [clock[0] - now_s]

    world = World(config(users=6), workload(6, users=6), images=IMAGES, mischief=trickle)
    world.run_workload()
    assert check_invariants(world) == {"ok": 6}
    assert set(world.transmissions.values()) == {1}
    assert not world.events("resent", "polled")
