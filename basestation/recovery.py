"""What a restarted base station takes over from its journal.

A crash loses the open requests: the new incarnation closes them as failed (`bs_restarted`), gives no
request or group number twice (a UE may remember the old ones), and goes on with the rest of the workload.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TERMINAL_EVENTS = frozenset({"ok", "degraded", "fail", "expired", "refused"})


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on.

    `invoked`: workload lines already begun; `uplink`: ids that UEs gave; `left_open`: (request_id, user).
    """

    next_request: int = 0
    next_group: int = 0
    next_use: int = 0
    invoked: frozenset[int] = frozenset()
    uplink: frozenset[str] = frozenset()
    left_open: tuple[tuple[str, int], ...] = ()


def resume_from(journal: Iterable[bytes]) -> Resume:
    """From the lines of a journal; a torn last line, as a crash may leave it, is passed over."""
    next_request = next_group = next_use = 0
    invoked: set[int] = set()
    uplink: set[str] = set()
    left_open: dict[str, int] = {}
    for line in journal:
        entry = _entry(line)
        if entry is None or entry.get("role") != "bs":
            continue
        event, name = entry.get("event"), entry.get("request_id")
        if event == "invoke" and isinstance(name, str):
            left_open[name] = int(entry.get("user", -1))
            if name[:1] == "r" and name[1:].isdigit():
                next_request = max(next_request, int(name[1:]) + 1)
            else:
                uplink.add(name)
            if isinstance(entry.get("index"), int):
                invoked.add(entry["index"])
        elif event in TERMINAL_EVENTS and isinstance(name, str):
            left_open.pop(name, None)
        elif event == "group" and isinstance(entry.get("group_id"), int):
            next_group = max(next_group, entry["group_id"] + 1)
        if isinstance(entry.get("next_use"), int):
            next_use = max(next_use, entry["next_use"])
    return Resume(
        next_request, next_group, next_use, frozenset(invoked), frozenset(uplink), tuple(left_open.items())
    )


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
