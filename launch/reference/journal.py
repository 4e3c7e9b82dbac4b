"""The tables of the journal's page, and whether a journal is what the page says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from launch.reference.journal_events import EVENTS, FAULT_WHATS, PROCESS_WHATS, JournalEvent
from launch.reference.markdown import code, table

_OF_EVERY_LINE: Final = frozenset({"t", "wall", "host", "role", "user", "pid", "event"})
_WHATS: Final = {"process": PROCESS_WHATS, "fault": FAULT_WHATS}


def event_table() -> str:
    rows = [(code(name), event.by, event.when, _fields(name, event)) for name, event in EVENTS.items()]
    return table(("event", "written by", "when", "fields; in brackets those that are not always there"), rows)


def process_table() -> str:
    return _whats(PROCESS_WHATS)


def fault_table() -> str:
    return _whats(FAULT_WHATS)


def undocumented(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a journal has and the page has not, or the other way round; each once."""
    return list(dict.fromkeys(line for event in events for line in _differences(event)))


def _differences(event: Mapping[str, Any]) -> Iterator[str]:
    name, known = event["event"], EVENTS.get(event["event"])
    if known is None:
        yield f"{name}: no such event"
        return
    own = event.keys() - _OF_EVERY_LINE
    yield from (f"{name}: no field {field}" for field in sorted(own - {*known.fields, *known.sometimes}))
    yield from (f"{name}: without {field}" for field in sorted(known.fields.keys() - own))
    if event["role"] not in known.by.split(", ") and known.by != "all":
        yield f"{name}: written by {event['role']}, expected {known.by}"
    if name in _WHATS and event.get("what") not in _WHATS[name]:
        yield f"{name}: no what {event.get('what')}"


def _whats(whats: Mapping[str, str]) -> str:
    return table(("`what`", "means"), [(code(what), means) for what, means in whats.items()])


def _fields(name: str, event: JournalEvent) -> str:
    """Of two events with the same fields the second one names the first."""
    for other, known in EVENTS.items():
        if other == name:
            break
        if (known.fields, known.sometimes) == (event.fields, event.sometimes) and len(event.fields) > 3:
            return f"as {code(other)}"
    said = [f"{code(field)}: {means}" for field, means in event.fields.items()]
    return "; ".join([*said, *(f"[{code(field)}: {means}]" for field, means in event.sometimes.items())])
