"""Every event of the journal is documented, by the code that writes it and by what is written."""

from collections.abc import Iterator

from basestation.endings import _JOURNAL_NAMES
from channel_emulator.faults.memory import FIRST_MESSAGE
from launch.reference.journal import undocumented
from launch.reference.journal_events import EVENTS, FAULT_WHATS, PROCESS_WHATS
from tests.unit.launch.reference.sources import calls, constant, constants

WHOLE = {"t": 1.0, "wall": 1.0, "host": "h", "role": "bs", "user": 0, "pid": 1}


def first_arguments(*names: str) -> Iterator[str]:
    yield from (word for call in calls(*names) if call.args and (word := constant(call.args[0])))


def test_every_event_in_the_code_is_documented_and_no_other() -> None:
    on_air = {constant(call.args[1]) for call in calls("_put_on_air")}
    written = {*first_arguments("Record"), *_JOURNAL_NAMES.values(), *on_air}
    written |= {word for word in first_arguments("write") if word in ("kernel", "process", "fault")}
    assert written == set(EVENTS)


def test_every_field_that_is_written_in_place_is_documented() -> None:
    for call in calls("Record"):
        name, fields = constant(call.args[0]) if call.args else None, call.args[1:]
        if name is None or not fields:
            continue
        keys = {constant(key) for key in getattr(fields[0], "keys", ())} - {None}
        event = EVENTS[name]
        assert keys <= {"user", *event.fields, *event.sometimes}, name


def test_everything_that_is_said_of_processes_is_documented() -> None:
    said = {FIRST_MESSAGE, *first_arguments("_note", "_process")}
    said |= {word for word in first_arguments("_record") if word.islower()}
    assert said - set(FAULT_WHATS) <= set(PROCESS_WHATS)
    assert set(PROCESS_WHATS) | set(FAULT_WHATS) <= constants()


def test_what_is_not_documented_is_found() -> None:
    whole = {**WHOLE, "event": "cache_miss", "request_id": "r000000"}
    assert undocumented([whole, whole]) == []
    assert undocumented([{**WHOLE, "event": "cache_mist"}]) == ["cache_mist: no such event"]
    assert undocumented([{**whole, "slot": 1}] * 2) == ["cache_miss: no field slot"]
    assert undocumented([{**WHOLE, "event": "cache_miss"}]) == ["cache_miss: without request_id"]
    assert undocumented([{**whole, "role": "ue"}]) == ["cache_miss: written by ue, expected bs"]
    process = {**WHOLE, "event": "process", "detail": "", "what": "vanished"}
    assert undocumented([process]) == ["process: no what vanished"]
