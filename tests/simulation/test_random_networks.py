"""Random losses, copies, delays and restarts: the invariants hold in every run.

Each example is one seed; hypothesis prints the smallest failing one.
"""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, RandomMischief, config, questions, workload
from tests.simulation.world import World

N = 9
RUNS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PROBABILITIES = st.sampled_from([0.0, 0.05, 0.3, 0.6])


@RUNS
@given(
    seed=st.integers(0, 2**32),
    loss=PROBABILITIES,
    copies=PROBABILITIES,
    delays=PROBABILITIES,
    attempts=st.integers(1, 4),
)
def test_any_network(seed: int, loss: float, copies: float, delays: float, attempts: int) -> None:
    note(f"seed {seed}")
    mischief = RandomMischief(seed, loss, copies, delays)
    world = World(
        config(retransmission={"max_attempts": attempts}), workload(N), images=IMAGES, mischief=mischief
    )
    world.run_workload()
    assert world.told("workload_done")
    world.command("bs", "drain")
    world.run(120.0)
    ends = check_invariants(world, questions(N))
    assert sum(ends.values()) == N
    if loss == 0.0:
        assert set(ends) <= {"ok", "degraded"}
    if loss == 0.0 and (delays == 0.0 or attempts > 1):
        assert ends == {"ok": N}


@RUNS
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.1]),
    restarts=st.lists(
        st.tuples(
            st.floats(0.001, 8.0), st.sampled_from(["ue:0", "ue:1", "ce", "bs"]), st.floats(0.01, 12.0)
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda r: r[1],
    ),
)
def test_any_role_may_crash_and_come_back(
    seed: int, loss: float, restarts: list[tuple[float, str, float]]
) -> None:
    note(f"seed {seed}")
    world = World(
        config(deadline_ms=20_000),
        workload(N),
        images=IMAGES,
        mischief=RandomMischief(seed, loss),
        encode_s=0.3,
        decode_s=0.4,
    )

    def come_back(name: str) -> None:
        world.start(name)
        if name == "bs":
            world.command("bs", "start")

    for after_s, name, away_s in restarts:
        world.at(world.now_s + after_s, lambda n=name: world.kill(n))
        world.at(world.now_s + after_s + away_s, lambda n=name: come_back(n))
    world.command("bs", "start")
    world.run(300.0, until=lambda: bool(world.told("workload_done")))
    assert world.told("workload_done")
    world.run(20.0)  # whoever is still away comes back
    ends = check_invariants(world)
    assert sum(ends.values()) == N
    assert {e["index"] for e in world.events("invoke")} == set(range(N))
    world.ask("bs", "afterwards", 1, "all well?", IMAGES["a"])
    world.mischief = lambda m, to, t: [0.0]
    world.run(30.0)
    assert world.told("ask_result")[-1].state == "answered"  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    def journal() -> list[dict[str, object]]:
        world = World(
            config(),
            workload(N),
            images=IMAGES,
            mischief=RandomMischief(seed, loss=0.3, copies=0.3, delays=0.3),
        )
        world.run_workload()
        return world.journal

    assert journal() == journal()
