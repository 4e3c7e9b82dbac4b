"""A request that ends the process that handles it: found after two, and everybody else is served."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.wire.messages import AskResult, SideInfo
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, config, questions, workload
from tests.simulation.stand_ins import StandInGroupPipeline, StandInRequestPipeline
from tests.simulation.world import Dies, World

N = 12


def poisonous(*texts: str) -> Callable[[Any], None]:
    def spoil(request: Any) -> None:
        if request.text in texts:
            raise Dies

    return spoil


def deadly(*names: str) -> Callable[[SideInfo], None]:
    def spoil(side: SideInfo) -> None:
        if side.request_id in names:
            raise Dies

    return spoil


def failed(world: World) -> dict[str, str]:
    return {e["request_id"]: e["reason"] for e in world.events("fail")}


def whole(but: set[str]) -> dict[str, tuple[str, str | None]]:
    return {name: asked for name, asked in questions(N).items() if name not in but}


@pytest.mark.parametrize("place", [0, 4, 11])
def test_in_the_encoder_it_costs_two_processes_of_the_base_station(place: int) -> None:
    pipeline = StandInGroupPipeline(poisonous(f"question {place}"))
    world = World(config(), workload(N), images=IMAGES, sender=pipeline)
    world.run_workload()
    poison = f"r{place:06d}"
    assert check_invariants(world, whole({poison})) == {"ok": N - 1, "fail": 1}
    assert failed(world) == {poison: "poison"}
    assert world.deaths == {"bs": 2}


def test_two_of_one_group_cost_three() -> None:
    pipeline = StandInGroupPipeline(poisonous("question 3", "question 5"))
    world = World(config(), workload(N), images=IMAGES, sender=pipeline)
    world.run_workload()
    assert check_invariants(world) == {"ok": N - 2, "fail": 2}
    assert failed(world) == {"r000003": "poison", "r000005": "poison"}
    assert world.deaths == {"bs": 3}


def test_the_others_are_encoded_before_the_suspects() -> None:
    pipeline = StandInGroupPipeline(poisonous("question 1"))
    world = World(config(), workload(6), images=IMAGES, sender=pipeline)
    world.run_workload()
    groups = [[int(name[1:]) for name in e["requests"]] for e in world.events("group")]
    assert groups[:4] == [[0, 1, 2], [3, 4, 5], [0], [1]]
    assert groups[-1] == [2]


def test_a_question_by_control_link_may_be_poison() -> None:
    world = World(config(), images=IMAGES, sender=StandInGroupPipeline(poisonous("bad")))
    world.run(1.0)
    for user, text in enumerate(("good", "bad", "also good")):
        world.ask("bs", text, user, text, IMAGES["a"])
    world.run(20.0)
    results = {m.ask_id: (m.state, m.reason) for m in world.told("ask_result") if isinstance(m, AskResult)}
    assert results == {"good": ("answered", ""), "bad": ("failed", "poison"), "also good": ("answered", "")}
    assert world.deaths == {"bs": 2}


def test_a_question_by_uplink_may_be_poison() -> None:
    world = World(config(), images=IMAGES, sender=StandInGroupPipeline(poisonous("bad")))
    world.run(1.0)
    world.ask("ue:1", "mine", 1, "bad", IMAGES["a"])
    world.run(20.0)
    (result,) = world.told("ask_result")
    assert isinstance(result, AskResult)
    assert (result.state, result.reason) == ("refused", "poison")
    assert check_invariants(world) == {"fail": 1}


@pytest.mark.parametrize("place", [0, 4, 11])
@pytest.mark.parametrize("decode_s", [0.03, 0.5])
def test_in_the_decoder_it_costs_two_processes_of_its_ue(place: int, decode_s: float) -> None:
    poison = f"r{place:06d}"
    receiver = StandInRequestPipeline(deadly(poison))
    world = World(config(), workload(N), images=IMAGES, receiver=receiver, decode_s=decode_s)
    world.run_workload()
    assert check_invariants(world, whole({poison})) == {"ok": N - 1, "fail": 1}
    assert failed(world) == {poison: "poison"}
    assert world.deaths == {f"ue:{place % 3}": 2}


def test_innocents_with_the_same_ue_survive() -> None:
    """Six questions of one user at once; the third ends its process."""
    receiver = StandInRequestPipeline(deadly("r000002"))
    world = World(config(), images=IMAGES, receiver=receiver, decode_s=0.2)
    world.run(1.0)
    for n in range(6):
        world.ask("bs", f"q{n}", 1, f"question {n}", IMAGES["a"])
    world.run(60.0)
    assert check_invariants(world) == {"ok": 5, "fail": 1}
    assert failed(world) == {"r000002": "poison"}
    assert world.deaths == {"ue:1": 2}


def test_what_arrives_meanwhile_waits_and_is_served() -> None:
    receiver = StandInRequestPipeline(deadly("r000000"))
    world = World(config(), images=IMAGES, receiver=receiver, decode_s=0.2)
    world.run(1.0)
    for n in range(8):
        at_s = world.now_s + 0.3 * n
        world.at(at_s, lambda n=n: world.ask("bs", f"q{n}", 1, f"question {n}", IMAGES["a"]))
        world.at(at_s, lambda n=n: world.ask("bs", f"other {n}", 2, f"question {n}", IMAGES["a"]))
    world.run(60.0)
    assert check_invariants(world) == {"ok": 15, "fail": 1}
    assert world.deaths == {"ue:1": 2}
    slowest_ms = max(e["latency_ms"] for e in world.events("ok") if e["user"] == 2)
    assert slowest_ms < 1_000, "a neighbour does not notice"


def test_a_ue_that_loses_a_poison_goes_on_when_the_base_station_restarts_too() -> None:
    """What the base station knows of the UE's first end outlives it."""
    receiver = StandInRequestPipeline(deadly("r000001"))
    world = World(config(), workload(3), images=IMAGES, receiver=receiver, decode_s=0.2)
    world.command("bs", "start")
    world.run(20.0, until=lambda: bool(world.events("suspect")))
    world.kill("bs")
    world.at(world.now_s + 0.1, lambda: world.come_back("bs"))
    world.run(60.0)
    assert check_invariants(world) == {"ok": 2, "fail": 1}
    assert failed(world) == {"r000001": "poison"}
    assert world.deaths["ue:1"] <= 3


def test_suspects_stay_alone_when_the_base_station_restarts() -> None:
    world = World(config(), images=IMAGES, decode_s=0.5)
    world.run(1.0)
    for n in range(3):
        world.ask("bs", f"q{n}", 1, f"question {n}", IMAGES["a"])
    world.run(0.3)
    world.kill("ue:1")
    world.start("ue:1")
    world.run(20.0, until=lambda: len(world.events("suspect")) == 3)
    world.kill("bs")
    world.come_back("bs")
    back_s = world.now_s
    world.run(30.0)
    assert check_invariants(world) == {"ok": 3}
    ended = {e["request_id"]: e["t"] for e in world.events("ok")}
    delivered: dict[str, float] = {}
    for t, name, m in world.sent:
        if name == "bs" and isinstance(m, SideInfo) and t > back_s:
            delivered.setdefault(m.request_id, t)
    first, second, third = sorted(delivered, key=lambda name: delivered[name])
    assert ended[first] <= delivered[second]
    assert ended[second] <= delivered[third]


def test_a_ue_that_is_killed_once_costs_nobody_an_answer() -> None:
    world = World(config(), workload(N), images=IMAGES, decode_s=0.4)
    world.at(world.now_s + 0.5, lambda: world.kill("ue:1"))
    world.at(world.now_s + 1.5, lambda: world.start("ue:1"))
    world.run_workload()
    assert check_invariants(world, questions(N)) == {"ok": N}
