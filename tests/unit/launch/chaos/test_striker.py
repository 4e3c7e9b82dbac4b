"""Scheduled faults, and what is said of them: whatever began ends, and only what was reached was struck."""

import signal
from typing import Any

import pytest

from launch.chaos.striker import Striker
from launch.errors import LaunchError
from shared.process_fault_config import Listed
from tests.unit.launch.chaos.test_processes import fault

Said = tuple[str, str, str, int]


class Place:
    """Takes orders and notes; roles in `gone` cannot be reached."""

    def __init__(self, *faults: Listed) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.said: list[Said] = []
        self.fields: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.striker = Striker(faults, self, self._note)
        self.striker.begin(100.0)

    def roles(self) -> list[str]:
        return [role for role in ("bs", "ce", "ue-0", "ue-1") if role not in self.gone]

    def incarnation(self, role: str) -> int:
        return 0

    def signal(self, role: str, number: int, incarnation: int | None = None) -> None:
        self._do(role, number, *(() if incarnation is None else (incarnation,)))

    def end(self, role: str) -> None:
        self._do(role, "end")

    def start(self, role: str, beside: bool = False) -> None:
        self._do(role, "beside" if beside else "start")

    def slow(self, role: str, cpu_share: float, for_s: float) -> None:
        self._do(role, "slow", cpu_share, for_s)

    def fill_disk(self, role: str) -> None:
        self._do(role, "full")

    def go_on(self, role: str) -> None:
        self._do(role, "on")

    def run(self, *times_s: float) -> None:
        for now_s in times_s:
            self.striker.tick(now_s)

    def take(self) -> list[tuple[Any, ...]]:
        """What was done since it was last asked."""
        did, self.did = self.did, []
        return did

    def ends(self) -> list[Said]:
        return [said for said in self.said if said[0] == "end"]

    def _do(self, role: str, *what: Any) -> None:
        if role in self.gone:
            raise LaunchError(f"{role} is not running")
        self.did.append((role, *what))

    def _note(self, what: str, fault: str, role: str, strikes: int, **fields: Any) -> None:
        self.said.append((what, fault, role, strikes))
        self.fields.append(fields)


@pytest.mark.parametrize(("kind", "order"), [("kill", signal.SIGKILL), ("restart", "end")])
def test_what_is_started_again_ends_when_it_is_ready(kind: str, order: object) -> None:
    place = Place(fault(kind, "bs", at_s=1.0))
    assert place.striker.wait_s(100.0, 0.25) == 0.25
    assert place.striker.wait_s(100.9, 0.25) == pytest.approx(0.1)
    place.run(101.0)
    assert place.take() == [("bs", order)]
    assert not place.striker.ended("ce", 0, 101.2)
    assert place.striker.ended("bs", 0, 101.2)
    assert place.take() == [("bs", "start")]
    assert place.ends() == []
    assert not place.striker.ended("bs", 1, 101.3)  # what was started crashed by itself
    place.striker.ready("bs", 102.5)
    assert place.said == [("begin", f"{kind}.0", "bs", 0), ("end", f"{kind}.0", "bs", 1)]
    assert place.fields[-1] == {"ready_after_s": 1.5}
    place.striker.close(103.0)
    assert len(place.said) == 2


def test_a_pause_is_continued() -> None:
    place = Place(fault("pause", "ue-0", at_s=1.0, for_s=2.0))
    place.run(101.0, 102.0, 103.0)
    assert place.did == [("ue-0", signal.SIGSTOP), ("ue-0", "on")]
    assert place.said == [("begin", "pause.0", "ue-0", 0), ("end", "pause.0", "ue-0", 1)]


def test_who_is_slowed_is_let_go() -> None:
    place = Place(fault("slow", "ue-0", at_s=1.0, for_s=2.0, cpu_share=0.25))
    place.run(101.0, 103.0)
    assert place.did == [("ue-0", "slow", 0.25, 2.0), ("ue-0", "on")]
    assert place.ends() == [("end", "slow.0", "ue-0", 1)]


@pytest.mark.parametrize("ends_s", [101.2, 104.0])
def test_a_user_leaves_and_comes_back(ends_s: float) -> None:
    """Also where it takes longer to go than it should stay away."""
    place = Place(fault("leave", "ue-0", at_s=1.0, for_s=2.0))
    place.run(101.0)
    assert place.take() == [("ue-0", "end")]
    for now_s in sorted((ends_s, 103.0)):
        if now_s == ends_s:
            assert place.striker.ended("ue-0", 0, now_s)
        else:
            place.run(now_s)
    assert place.take() == [("ue-0", "start")]
    place.striker.ready("ue-0", 105.0)
    assert place.ends() == [("end", "leave.0", "ue-0", 1)]
    assert place.fields[-1] == {"ready_after_s": 2.0}


@pytest.mark.parametrize("for_s", [None, 50.0])
def test_who_has_left_is_not_started_at_the_stop(for_s: float | None) -> None:
    place = Place(fault("leave", "ue-0", at_s=1.0, for_s=for_s))
    place.run(101.0)
    assert place.striker.ended("ue-0", 0, 101.5)
    place.run(120.0)
    assert place.ends() == []
    place.striker.close(130.0)
    assert place.did == [("ue-0", "end")]
    assert place.ends() == [("end", "leave.0", "ue-0", 1)]


def test_a_late_user_is_started() -> None:
    place = Place(fault("late", "ue-1", for_s=3.0))
    place.run(100.0)
    assert (place.did, place.said) == ([], [("begin", "late.0", "ue-1", 0)])
    place.run(103.0)
    place.striker.ready("ue-1", 103.5)
    assert place.did == [("ue-1", "start")]
    assert (place.ends(), place.fields[-1]) == ([("end", "late.0", "ue-1", 1)], {"ready_after_s": 0.5})


def test_a_replaced_process_ends_by_itself() -> None:
    place = Place(fault("replace", "ue-1", at_s=1.0, for_s=3.0))
    place.run(101.0)
    assert place.take() == [("ue-1", signal.SIGSTOP), ("ue-1", "beside")]
    place.striker.ready("ue-1", 101.75)
    place.run(104.0)
    assert place.take() == [("ue-1", signal.SIGCONT, 0)]
    assert place.ends() == []
    assert not place.striker.ended("ue-1", 1, 104.0)  # the new one, by itself
    assert place.striker.ended("ue-1", 0, 104.5)
    assert (place.ends(), place.fields[-1]) == ([("end", "replace.0", "ue-1", 1)], {"ready_after_s": 0.75})


def test_the_disks_of_all_who_are_there_and_suffer_nothing_else() -> None:
    place = Place(fault("pause", "ue-0", at_s=0.0, for_s=9.0), fault("disk_full", "all", at_s=1.0, for_s=1.0))
    place.gone = {"ue-1"}
    place.run(101.0, 102.0)
    assert place.did[1:] == [("bs", "full"), ("ce", "full"), ("bs", "on"), ("ce", "on")]
    assert place.ends() == [("end", "disk_full.0", "all", 2)]


@pytest.mark.parametrize("gone", [False, True])
def test_at_the_stop_nobody_stays_struck_and_what_began_ends(gone: bool) -> None:
    place = Place(
        fault("pause", "ue-0", at_s=1.0, for_s=9.0),
        fault("replace", "ue-1", at_s=1.0, for_s=9.0),
        fault("kill", "bs", at_s=1.0),
        fault("kill", "ce", at_s=50.0),
    )
    place.run(101.0)
    place.take()
    place.gone = {"ue-0", "ue-1", "bs"} if gone else set()
    place.striker.close(102.0)
    assert place.did == ([] if gone else [("ue-0", "on"), ("ue-1", signal.SIGCONT, 0)])
    assert sorted(place.ends()) == [
        ("end", "kill.0", "bs", 1),
        ("end", "kill.1", "ce", 0),
        ("end", "pause.0", "ue-0", 1),
        ("end", "replace.0", "ue-1", 1),
    ]


def test_who_is_not_there_or_suffers_another_fault_is_not_struck() -> None:
    place = Place(
        fault("kill", "bs", at_s=1.0),
        fault("slow", "bs", at_s=1.0, for_s=1.0, cpu_share=0.5),
        fault("restart", "ue-1", at_s=1.0),
        fault("pause", "bs", at_s=5.0, for_s=1.0),
    )
    place.gone = {"ue-1"}
    place.run(101.0)
    assert place.did == [("bs", signal.SIGKILL)]
    assert place.ends() == [("end", "slow.0", "bs", 0), ("end", "restart.0", "ue-1", 0)]
    place.striker.ended("bs", 0, 101.1)
    place.striker.ready("bs", 102.0)
    place.run(102.0, 105.0)
    assert place.did[-1] == ("bs", signal.SIGSTOP)


def test_who_cannot_be_replaced_is_continued() -> None:
    place = Place(fault("replace", "ue-1", at_s=1.0, for_s=3.0))

    def cannot(role: str, beside: bool = False) -> None:
        raise LaunchError("the forkserver is gone")

    place.start = cannot  # type: ignore[method-assign]
    place.run(101.0)
    assert place.did == [("ue-1", signal.SIGSTOP), ("ue-1", signal.SIGCONT, 0)]
    assert place.ends() == [("end", "replace.0", "ue-1", 0)]


def test_before_the_workload_begins_nothing_is_due() -> None:
    place = Place()
    striker = Striker((fault("kill", "bs", at_s=0.0),), place, place._note)
    striker.tick(1e9)
    assert place.did == []
    assert striker.wait_s(1e9, 0.25) == 0.25


def test_an_injected_fault_begins_now_and_a_heal_ends_all_but_kills() -> None:
    place = Place(fault("pause", "ue-0", at_s=1.0, for_s=2.0), fault("kill", "ce", at_s=50.0))
    place.striker.tick(101.0)
    assert place.striker.inject(fault("kill", "bs", at_s=0.0), 101.5) == "kill.1"
    place.striker.tick(101.5)
    place.striker.heal(102.0)
    assert place.said[-2:] == [("end", "kill.0", "ce", 0), ("end", "pause.0", "ue-0", 1)]
    did = len(place.did)
    place.striker.tick(200.0)
    assert len(place.did) == did
    assert place.striker.ended("bs", 0, 102.5)  # it is started again; that ends the fault
    place.striker.ready("bs", 103.0)
    assert place.said[-1] == ("end", "kill.1", "bs", 1)
