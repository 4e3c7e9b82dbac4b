"""What is due when, and schedules that cannot be."""

import math
from typing import Any

import pytest
from pydantic import TypeAdapter

from launch.chaos.processes import ProcessFaults
from shared.config_file import ConfigError, parse_config
from shared.process_fault_config import PROCESS_FAULT_CONFIGS, Listed, ProcessFaultConfig, late_users

ADAPTER: TypeAdapter[Listed] = TypeAdapter(ProcessFaultConfig)


def fault(kind: str, role: str, **fields: Any) -> Listed:
    return ADAPTER.validate_python({"fault": kind, "role": role, **fields})


def faults() -> ProcessFaults:
    return ProcessFaults(
        (
            fault("pause", "ue-1", at_s=3.0, for_s=4.0),
            fault("kill", "bs", at_s=5.0),
            fault("kill", "ce", at_s=1.0),
            fault("late", "ue-2", for_s=2.0),
            fault("leave", "ue-3", at_s=6.0),
            fault("slow", "ue-1", at_s=7.0, for_s=1.0, cpu_share=0.5),
        )
    )


def due(schedule: ProcessFaults, elapsed_s: float) -> list[tuple[float, str, str]]:
    return [(step.at_s, step.what, step.name) for step in schedule.due(elapsed_s)]


def test_steps_come_in_order_of_time_and_once() -> None:
    schedule = faults()
    assert schedule.next_s() == 0.0
    assert due(schedule, 0.9) == [(0.0, "begin", "late.0")]
    assert due(schedule, 3.0) == [
        (1.0, "begin", "kill.1"),
        (2.0, "over", "late.0"),
        (3.0, "begin", "pause.0"),
    ]
    assert schedule.next_s() == 5.0
    assert due(schedule, 99.0) == [
        (5.0, "begin", "kill.0"),
        (6.0, "begin", "leave.0"),
        (7.0, "over", "pause.0"),  # before what begins on the same role at the same time
        (7.0, "begin", "slow.0"),
        (8.0, "over", "slow.0"),
    ]
    assert schedule.next_s() == math.inf


def test_what_is_left_is_left_once() -> None:
    schedule = faults()
    schedule.due(5.5)
    assert [step.name for step in schedule.left()] == ["leave.0", "pause.0", "slow.0", "slow.0"]
    assert schedule.left() == []
    assert schedule.due(99.0) == []


def test_late_users_are_not_waited_for() -> None:
    assert late_users([fault("late", "ue-2", for_s=2.0), fault("kill", "ue-1", at_s=1.0)]) == [2]


TIMES = {"at_s": 1, "for_s": 2}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"fault": "kill", "role": "ue-4", "at_s": 1}, "process_faults.0.role: there is no ue-4 among 4"),
        ({"fault": "late", "role": "ue-9", "for_s": 1}, "process_faults.0.role: there is no ue-9 among 4"),
        ({"fault": "kill", "role": "moon", "at_s": 1}, "process_faults.0.role: String should match"),
        (
            {"fault": "kill", "role": "bs", "at_s": 1, "for_s": 2},
            "unknown key process_faults.0.for_s (nearest",
        ),
        ({"fault": "pause", "role": "bs", "at_s": 1}, "process_faults.0.for_s: Field required"),
        ({"fault": "kill", "role": "bs"}, "process_faults.0.at_s: Field required"),
        ({"fault": "slow", "role": "bs", **TIMES}, "process_faults.0.cpu_share: Field required"),
        (
            {"fault": "slow", "role": "bs", **TIMES, "cpu_share": 0.01},
            "process_faults.0.cpu_share: Input should",
        ),
        (
            {"fault": "slow", "role": "bs", **TIMES, "cpu_share": 0.95},
            "process_faults.0.cpu_share: Input should",
        ),
        ({"fault": "leave", "role": "bs", "at_s": 1}, "process_faults.0.role: String should match"),
        ({"fault": "late", "role": "ue-1", **TIMES}, "unknown key process_faults.0.at_s (nearest"),
        ({"fault": "replace", "role": "ce", **TIMES}, "process_faults.0.role: String should match"),
        ({"fault": "pause", "role": "all", **TIMES}, "process_faults.0.role: String should match"),
        (
            {"fault": "disk_full", "role": "all", "at_s": -1, "for_s": 1},
            "process_faults.0.at_s: Input should",
        ),
        (
            {"fault": "melt", "role": "bs", "at_s": 1},
            f"process_faults.0.fault: expected one of {', '.join(PROCESS_FAULT_CONFIGS)}",
        ),
    ],
)
def test_what_cannot_be_scheduled_is_named(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"users": 4, "process_faults": [given]}, "test")
    assert str(caught.value).startswith(f"test: {says}")
    assert "\n" not in str(caught.value)


def test_nobody_is_late_twice() -> None:
    late = {"fault": "late", "role": "ue-1", "for_s": 1}
    with pytest.raises(ConfigError, match=r"process_faults.1.role: ue-1 is late already"):
        parse_config({"users": 4, "process_faults": [late, late]}, "test")
