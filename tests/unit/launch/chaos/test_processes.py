"""Which signal is due when, and schedules that cannot be."""

import math
import signal

import pytest

from launch.chaos.processes import ProcessFaults, Step
from shared.config_file import ConfigError, parse_config
from shared.process_fault_config import ProcessFaultConfig


def faults() -> ProcessFaults:
    return ProcessFaults(
        (
            ProcessFaultConfig(fault="pause", role="ue-1", at_s=3.0, for_s=4.0),
            ProcessFaultConfig(fault="kill", role="bs", at_s=5.0),
            ProcessFaultConfig(fault="kill", role="ce", at_s=1.0),
        )
    )


def test_steps_come_in_order_of_time_and_once() -> None:
    schedule = faults()
    assert schedule.next_s() == 1.0
    assert schedule.due(0.9) == []
    assert schedule.due(3.0) == [
        Step(1.0, "begin", "kill.1", "ce", signal.SIGKILL),
        Step(3.0, "begin", "pause.0", "ue-1", signal.SIGSTOP),
    ]
    assert schedule.next_s() == 5.0
    assert [(step.name, step.what) for step in schedule.due(99.0)] == [
        ("kill.0", "begin"),
        ("pause.0", "end"),
    ]
    assert schedule.next_s() == math.inf


def test_what_is_left_is_left_once() -> None:
    schedule = faults()
    schedule.due(4.0)
    assert [(step.name, step.what) for step in schedule.left()] == [("kill.0", "begin"), ("pause.0", "end")]
    assert schedule.left() == []
    assert schedule.due(99.0) == []


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"fault": "kill", "role": "ue-4", "at_s": 1}, "process_faults.0.role: there is no ue-4 among 4"),
        ({"fault": "kill", "role": "moon", "at_s": 1}, "process_faults.0.role"),
        ({"fault": "kill", "role": "bs", "at_s": 1, "for_s": 2}, "for_s: a pause has it, a kill has not"),
        ({"fault": "pause", "role": "bs", "at_s": 1}, "for_s: a pause has it, a kill has not"),
        ({"fault": "kill", "role": "bs"}, "process_faults.0.at_s: "),
        ({"fault": "melt", "role": "bs", "at_s": 1}, "process_faults.0.fault"),
    ],
)
def test_what_cannot_be_scheduled_is_named(fault: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"users": 4, "process_faults": [fault]}, "test")
    assert says in str(caught.value)
