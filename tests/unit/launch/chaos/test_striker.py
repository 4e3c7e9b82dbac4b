"""Scheduled signals, and what is said of them: whatever began ends, and only what was reached was struck."""

import signal
from typing import Any

import pytest

from launch.chaos.striker import Striker
from launch.errors import LaunchError
from shared.process_fault_config import ProcessFaultConfig

Said = tuple[str, str, str, int]


class Place:
    """Takes signals and notes; roles in `gone` cannot be reached."""

    def __init__(self, *faults: ProcessFaultConfig) -> None:
        self.sent: list[tuple[str, int]] = []
        self.said: list[Said] = []
        self.fields: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.striker = Striker(faults, self._send, self._note)
        self.striker.begin(100.0)

    def _send(self, role: str, number: int) -> None:
        if role in self.gone:
            raise LaunchError(f"{role} is not running")
        self.sent.append((role, number))

    def _note(self, what: str, fault: str, role: str, strikes: int, **fields: Any) -> None:
        self.said.append((what, fault, role, strikes))
        self.fields.append(fields)


def kill(role: str = "bs", at_s: float = 1.0) -> ProcessFaultConfig:
    return ProcessFaultConfig(fault="kill", role=role, at_s=at_s)


def pause(role: str = "ue-0") -> ProcessFaultConfig:
    return ProcessFaultConfig(fault="pause", role=role, at_s=1.0, for_s=2.0)


def test_a_kill_ends_when_its_role_is_ready_again() -> None:
    place = Place(kill())
    assert place.striker.wait_s(100.0, 0.25) == 0.25
    assert place.striker.wait_s(100.9, 0.25) == pytest.approx(0.1)
    place.striker.tick(101.0)
    assert place.sent == [("bs", signal.SIGKILL)]
    assert place.striker.has_killed("bs")
    place.striker.restarted("bs", 102.5)
    assert place.said == [("begin", "kill.0", "bs", 0), ("end", "kill.0", "bs", 1)]
    assert place.fields[-1] == {"ready_after_s": 1.5}
    assert not place.striker.has_killed("bs")
    place.striker.close()
    assert len(place.said) == 2


def test_a_pause_is_continued() -> None:
    place = Place(pause())
    for now_s in (101.0, 102.0, 103.0):
        place.striker.tick(now_s)
    assert place.sent == [("ue-0", signal.SIGSTOP), ("ue-0", signal.SIGCONT)]
    assert place.said == [("begin", "pause.0", "ue-0", 0), ("end", "pause.0", "ue-0", 1)]


@pytest.mark.parametrize("gone", [False, True])
def test_at_the_stop_nobody_stays_paused_and_what_began_ends(gone: bool) -> None:
    place = Place(pause(), kill(), kill("ce", at_s=50.0))
    place.striker.tick(101.0)
    place.gone = {"ue-0", "bs"} if gone else set()
    place.striker.close()
    assert (("ue-0", signal.SIGCONT) in place.sent) is not gone
    ends = {said for said in place.said if said[0] == "end"}
    assert ends == {("end", "pause.0", "ue-0", 1), ("end", "kill.0", "bs", 1), ("end", "kill.1", "ce", 0)}


def test_who_is_not_there_or_dying_already_is_not_struck() -> None:
    place = Place(kill(), kill(), kill("ue-1"))
    place.gone = {"ue-1"}
    place.striker.tick(101.0)
    assert place.sent == [("bs", signal.SIGKILL)]
    assert [said for said in place.said if said[0] == "end"] == [
        ("end", "kill.1", "bs", 0),
        ("end", "kill.2", "ue-1", 0),
    ]


def test_before_the_workload_begins_nothing_is_due() -> None:
    place = Place(kill(at_s=0.0))
    place.striker = Striker((kill(at_s=0.0),), place._send, place._note)
    place.striker.tick(1e9)
    assert place.sent == []
    assert place.striker.wait_s(1e9, 0.25) == 0.25


def test_an_injected_fault_begins_now_and_a_heal_ends_all_but_kills() -> None:
    place = Place(pause(), kill("ce", at_s=50.0))
    place.striker.tick(101.0)
    assert place.striker.inject(kill("bs", at_s=0.0), 101.5) == "kill.1"
    place.striker.tick(101.5)
    assert place.sent[-1] == ("bs", signal.SIGKILL)
    place.striker.heal()
    assert place.sent[-1] == ("ue-0", signal.SIGCONT)
    assert place.said[-2:] == [("end", "kill.0", "ce", 0), ("end", "pause.0", "ue-0", 1)]
    assert place.striker.has_killed("bs")  # it is being started; that ends the fault
    place.striker.restarted("bs", 102.0)
    assert place.said[-1] == ("end", "kill.1", "bs", 1)
    place.striker.tick(200.0)
    assert len(place.sent) == 3
