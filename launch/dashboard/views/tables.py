"""Exact numbers as tables: bytes and channel uses per user, drops by reason, what happened when."""

from html import escape
from typing import Any, Final

from launch.dashboard.scene import Scene
from launch.report.markup import table
from launch.summary_table import BYTE_COLUMNS

MAX_EVENT_ROWS: Final = 120
_SAID: Final = ("what", "detail", "fault", "on", "peer", "strikes", "request_id", "reason", "text", "deaths")


def bytes_html(scene: Scene) -> str:
    """The ledger's numbers, to the byte, as the summary has them in the end."""
    numbers = scene.watch.numbers
    headings = ["user", "SNR dB", *(heading for heading, _, _ in BYTE_COLUMNS)]
    rows = [
        [str(user["user"]), f"{user['snr_db']:g}", *(f"{user[key]:,}" for _, key, _ in BYTE_COLUMNS)]
        for user in numbers["users"]
    ]
    for name, line in (("nobody", numbers["unattributed"]), ("total", numbers["totals"])):
        rows.append([name, "", *(f"{line[key]:,}" for _, _, key in BYTE_COLUMNS)])
    note = "" if scene.latest else "<p>Bytes are those of the whole run: the ledger keeps no times.</p>"
    return f'<div class="table-box" id="bytes">{table(headings, rows)}</div>{note}'


def drops_html(scene: Scene) -> str:
    """What went no further: where, of which class, why."""
    drops = scene.watch.numbers["drops"]
    if not drops:
        return "<p>Nothing was dropped so far.</p>"
    headings = [key.replace("_", " ") for key in drops[0]]
    rows = [[f"{v:,}" if isinstance(v, int) else str(v) for v in line.values()] for line in drops]
    return f'<div class="table-box">{table(headings, rows, text_columns=5)}</div>'


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
