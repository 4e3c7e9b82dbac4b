"""Random schedules: the seed decides, kinds come by weight, and no role is struck twice at once."""

from collections import Counter

import pytest

from launch.chaos.draws import DRAWS
from launch.chaos.entries import AnyFault, fault_of, lasts_s
from launch.chaos.nemesis import SETTLE_S, Nemesis, draw
from shared.fault_config import FAULT_CONFIGS
from shared.process_fault_config import PROCESS_FAULT_CONFIGS, ProcessFault

HEAL_S = 60.0


def nemesis(**changes: object) -> Nemesis:
    settings = {"mix": dict.fromkeys(DRAWS, 1.0), "every_s": 1.0, **changes}
    return Nemesis.model_validate(settings)


def test_every_kind_of_fault_can_be_drawn() -> None:
    assert set(DRAWS) == {*FAULT_CONFIGS, *PROCESS_FAULT_CONFIGS} - {"noop", "late"}


@pytest.mark.parametrize("seed", range(20))
def test_schedules_fit_their_time_and_leave_struck_roles_alone(seed: int) -> None:
    faults = draw(nemesis(), seed, 4, HEAL_S)
    assert len(faults) > 30
    assert all(fault.at_s + lasts_s(fault) <= HEAL_S for fault in faults)
    on_roles = [fault for fault in faults if isinstance(fault, ProcessFault)]
    assert on_roles
    for n, one in enumerate(on_roles):
        for other in on_roles[n + 1 :]:
            if one.role == other.role:
                assert other.at_s >= one.at_s + lasts_s(one) + SETTLE_S


def test_the_same_seed_draws_the_same_and_another_draws_another() -> None:
    assert draw(nemesis(), 5, 4, HEAL_S) == draw(nemesis(), 5, 4, HEAL_S)
    assert draw(nemesis(), 5, 4, HEAL_S) != draw(nemesis(), 6, 4, HEAL_S)


def test_kinds_come_by_their_weights() -> None:
    mix = {"loss": 3.0, "delay": 1.0}
    kinds: Counter[str] = Counter()
    for seed in range(20):
        kinds.update(fault.fault for fault in draw(nemesis(mix=mix), seed, 4, HEAL_S))
    total = sum(kinds.values())
    assert set(kinds) == {"loss", "delay"}
    assert abs(kinds["loss"] / total - 0.75) < 4 * (0.75 * 0.25 / total) ** 0.5  # four standard deviations


def test_a_role_that_the_scenario_strikes_is_left_alone_meanwhile() -> None:
    beside: list[AnyFault] = [
        fault_of({"fault": "pause", "at_s": 0.0, "for_s": HEAL_S, "on": {"role": role}}, "test")
        for role in ("bs", "ce", "ue-1")
    ]
    faults = draw(nemesis(mix={"kill": 1.0}), 1, 2, HEAL_S, beside)
    assert {fault.role for fault in faults if isinstance(fault, ProcessFault)} == {"ue-0"}
