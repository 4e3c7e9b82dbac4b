"""When each fault began and ended, how often it struck, how soon things were well again; from the journal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]


def fault_timeline(events: Sequence[Event]) -> list[dict[str, Any]]:
    """A line a fault, in order of their begin; times in seconds after the first request.

    `on`: the role of a process fault. `ready_after_s`: from a kill to the new process. `answer_after_s`: from
    the fault's end to the next answer from whole tokens. None where there is no such thing.
    """
    zero_s = next((float(e["t"]) for e in events if e.get("event") == "invoke"), 0.0)
    answered_s = sorted(float(e["t"]) for e in events if e.get("event") == "ok")
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.get("event") != "fault" or not isinstance(event.get("fault"), str):
            continue
        line = found.setdefault(event["fault"], _line(event))
        at_s = round(float(event["t"]) - zero_s, 3)
        line["strikes"] = max(line["strikes"], int(event.get("strikes") or 0))
        if event.get("what") == "end":
            line["end_s"] = at_s
            line["ready_after_s"] = event.get("ready_after_s")
            line["answer_after_s"] = _next_after(answered_s, float(event["t"]))
        elif event.get("what") == "begin":
            line["begin_s"] = at_s
    return sorted(found.values(), key=lambda line: (line["begin_s"] is None, line["begin_s"]))


def _line(event: Event) -> dict[str, Any]:
    empty = dict.fromkeys(("begin_s", "end_s", "ready_after_s", "answer_after_s"))
    return {"fault": event["fault"], "on": event.get("on"), **empty, "strikes": 0}


def _next_after(times_s: Iterable[float], at_s: float) -> float | None:
    after = next((t for t in times_s if t >= at_s), None)
    return None if after is None else round(after - at_s, 3)
