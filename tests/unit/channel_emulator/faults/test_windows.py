"""Faults that are active for a while: begin and end by the run's own time, and what is said of them."""

import pytest

from channel_emulator.faults import chain as chain_module
from channel_emulator.faults.chain import FaultChain, TooManyFaults
from channel_emulator.faults.memory import FaultMemory, remember
from channel_emulator.faults.schedule import Change
from shared.fault_config import parse_fault
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


def begun(at_s: float = 0.0) -> FaultChain:
    faults = chain()
    faults.begin(at_s)
    return faults


def test_time_begins_with_the_first_message() -> None:
    faults = chain()
    assert faults.changes(100.0) == []
    assert not faults.has_begun
    assert faults.next_change_s() is None
    faults.begin(200.0)
    assert faults.changes(200.0) == [Change("begin", "duplicate.0")]
    assert faults.changes(201.0) == []
    assert faults.next_change_s() == 202.0


def test_a_fault_harms_from_its_begin_to_its_end() -> None:
    faults = begun()
    lost = []
    for now_s in (0.0, 1.9, 2.0, 3.0, 4.0, 5.0):
        faults.changes(now_s)
        lost.append(faults.fate(frame(), 0, "down", now_s).lost)
    assert lost == ["", "", "loss", "loss", "loss", "partition"]
    assert faults.strikes == {"loss.0": 3, "partition.0": 1, "duplicate.0": 2}


def test_begins_first_strikes_and_ends_are_told_once() -> None:
    faults = begun()
    faults.changes(0.0)
    assert faults.changes(4.5) == [Change("begin", "loss.0"), Change("begin", "partition.0")]
    for _ in range(2):
        faults.fate(frame(), 0, "down", 4.5)
    assert faults.next_change_s() == 5.0
    assert faults.changes(60.0) == [Change("strike", "loss.0", 1), Change("end", "loss.0", 2)]
    assert faults.next_change_s() is None
    assert faults.heal() == [Change("end", "partition.0"), Change("end", "duplicate.0")]
    assert faults.heal() == []


def test_what_never_began_ends_without_having_struck() -> None:
    faults = begun()
    faults.changes(0.0)
    assert faults.heal()[:2] == [Change("end", "loss.0"), Change("end", "partition.0")]
    assert faults.changes(100.0) == []


def test_an_injected_fault_begins_now_and_is_numbered_on() -> None:
    faults = begun(10.0)
    name, config = faults.inject(made(fault="loss", probability=1.0, for_s=1.0), 17.0)
    assert (name, config.at_s) == ("loss.1", 7.0)
    assert Change("begin", "loss.1") in faults.changes(17.0)
    assert Change("end", "loss.1") in faults.changes(18.0)


def test_before_the_first_message_an_injected_fault_waits_for_it() -> None:
    faults = chain()
    assert faults.inject(made(fault="noop"), 17.0)[1].at_s == 0.0
    faults.begin(20.0)
    assert Change("begin", "noop.0") in faults.changes(20.0)


def test_a_run_has_so_many_faults_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_module, "MAX_FAULTS", 4)
    faults = begun()
    faults.inject(made(fault="noop"), 0.0)
    with pytest.raises(TooManyFaults, match="at most 4"):
        faults.inject(made(fault="noop"), 0.0)


def test_a_restarted_emulator_goes_on_with_the_same_faults_at_the_same_time() -> None:
    injected = made(fault="loss", probability=0.5, at_s=6.0)
    memory = FaultMemory(
        100.0, frozenset({"loss.0", "loss.1"}), frozenset({"loss.0"}), frozenset({"loss.1"}), (injected,)
    )
    faults = FaultChain((made(fault="loss", probability=1.0, at_s=2.0, for_s=3.0),), 1, memory)
    assert faults.has_begun
    assert faults.changes(107.0) == []  # one has ended, the other goes on, and neither is told again
    fates = [faults.fate(frame(frame_id=n), 0, "down", 107.0).lost for n in range(64)]
    assert 10 < fates.count("loss") < 54
    assert faults.changes(108.0) == []  # that it strikes is known already
    assert faults.heal() == [Change("end", "loss.1", fates.count("loss"))]


def test_the_journal_says_where_every_fault_was() -> None:
    lines = [
        b'{"t": 5.0, "role": "ce", "event": "process", "what": "first_message"}',
        b'{"t": 6.0, "role": "ce", "event": "fault", "what": "begin", "fault": "loss.0", "strikes": 0}',
        b'{"t": 6.1, "role": "agent", "event": "fault", "what": "begin", "fault": "kill.0", "strikes": 0}',
        b'{"t": 6.2, "role": "ce", "event": "fault", "what": "strike", "fault": "loss.0", "strikes": 1}',
        b'{"t": 6.3, "role": "ce", "event": "fault", "what": "inject", "fault": "loss.1", '
        b'"config": {"fault": "loss", "probability": 0.5, "at_s": 1.5}}',
        b'{"t": 7.0, "role": "ce", "event": "fault", "what": "end", "fault": "loss.0", "strikes": 3}',
        b'{"t": 7.0, "role": "ce", "event": "fau',
    ]
    loss, injected = frozenset({"loss.0"}), parse_fault({"fault": "loss", "probability": 0.5, "at_s": 1.5})
    assert remember(lines) == FaultMemory(5.0, loss, loss, loss, (injected,))
