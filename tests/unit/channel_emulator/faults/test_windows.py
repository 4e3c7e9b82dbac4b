"""Faults that are active for a while: begin and end by the run's own time, and what is said of them."""

from channel_emulator.faults.chain import Change, FaultChain
from tests.unit.channel_emulator.faults.test_faults import made
from tests.unit.channel_emulator.support import frame


def chain() -> FaultChain:
    return FaultChain(
        (
            made(fault="loss", probability=1.0, at_s=2.0, for_s=3.0),
            made(fault="partition", at_s=4.0),
            made(fault="duplicate", probability=1.0),
        ),
        1,
    )


def test_time_begins_with_the_first_message() -> None:
    faults = chain()
    assert faults.changes(100.0) == []
    assert faults.next_change_s() is None
    assert faults.changes(200.0, first_message=True) == [Change("begin", "duplicate.0")]
    assert faults.changes(201.0, first_message=True) == []
    assert faults.next_change_s() == 202.0


def test_a_fault_harms_from_its_begin_to_its_end() -> None:
    faults = chain()
    lost = []
    for now_s in (0.0, 1.9, 2.0, 3.0, 4.0, 5.0):
        faults.changes(now_s, first_message=True)
        lost.append(faults.fate(frame(), 0, "down", now_s).lost)
    assert lost == ["", "", "loss", "loss", "loss", "partition"]
    assert faults.strikes == {"loss.0": 3, "partition.0": 1, "duplicate.0": 2}


def test_begins_and_ends_are_told_once_with_the_strikes() -> None:
    faults = chain()
    faults.changes(0.0, first_message=True)
    assert faults.changes(4.5) == [Change("begin", "loss.0"), Change("begin", "partition.0")]
    faults.fate(frame(), 0, "down", 4.5)
    assert faults.next_change_s() == 5.0
    assert faults.changes(60.0) == [Change("end", "loss.0", 1)]
    assert faults.next_change_s() is None
    assert faults.close() == [Change("end", "partition.0"), Change("end", "duplicate.0")]
    assert faults.close() == []


def test_what_never_began_ends_without_having_struck() -> None:
    faults = chain()
    faults.changes(0.0, first_message=True)
    assert faults.close()[:2] == [Change("end", "loss.0"), Change("end", "partition.0")]
