"""Exact numbers as tables: bytes and channel uses per user, drops by reason, what happened when."""

from html import escape
from typing import Any, Final

from launch.dashboard.scene import Scene
from launch.report.ledger_tables import bytes_table, drops_table
from launch.report.markup import table

MAX_EVENT_ROWS: Final = 120
_SAID: Final = ("what", "detail", "fault", "on", "peer", "strikes", "request_id", "reason", "text", "deaths")


def bytes_html(scene: Scene) -> str:
    """The ledger's numbers, to the byte, as the summary has them in the end."""
    note = "" if scene.latest else "<p>Bytes are those of the whole run: the ledger keeps no times.</p>"
    return f'<div class="table-box" id="bytes">{bytes_table(scene.watch.numbers)}</div>{note}'


def drops_html(scene: Scene) -> str:
    """What went no further: where, of which class, why."""
    drops = scene.watch.numbers["drops"]
    if not drops:
        return "<p>Nothing was dropped so far.</p>"
    return f'<div class="table-box">{drops_table(drops)}</div>'


def events_html(scene: Scene) -> str:
    """The last events of processes, faults and ends of requests, the newest first."""
    rows = [_event_row(scene, event) for event in list(scene.state.events)[: -MAX_EVENT_ROWS - 1 : -1]]
    return f'<div class="table-box">{table(["s", "where", "event", ""], rows, text_columns=4)}</div>'


def _event_row(scene: Scene, event: Any) -> list[str]:
    role, user = str(event.get("role", "")), event.get("user", -1)
    where = f"{role} {user}" if isinstance(user, int) and user >= 0 else role
    said = " · ".join(
        f"{event[key]}" if key in ("what", "detail", "text", "reason") else f"{key} {event[key]}"
        for key in _SAID
        if event.get(key) not in (None, "", 0)
    )
    return [f"{scene.state.since_zero(float(event['t'])):.2f}", where, str(event["event"]), said[:200]]


def counts_html(scene: Scene) -> str:
    """How many requests are where: one card each."""
    counts = scene.state.requests.counts()
    cards = "".join(
        f"<div data-count={name}><b>{count:,}</b><span>{escape(name)}</span></div>"
        for name, count in counts.items()
    )
    return f'<div class="cards">{cards}</div>'
