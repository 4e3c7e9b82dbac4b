"""The faults of a run on a time axis: when each began and ended, how often it struck, when all was well."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from launch.dashboard.scene import Scene
from launch.report.markup import table

MAX_ROWS: Final = 60
_HEADINGS: Final = ("fault", "on", "from s", "to s", "strikes", "ready after s", "next whole answer after s")


def faults_html(scene: Scene) -> str:
    """Bars, and under them the same in numbers."""
    faults = scene.state.faults()[-MAX_ROWS:]
    if not faults:
        return '<p id="faults">No fault has begun.</p>'
    end_s = max(scene.state.since_zero(scene.state.last_s), 1.0)
    bars = "".join(_bar(fault, end_s) for fault in faults)
    rows = [[_cell(fault.get(key)) for key in _KEYS] for fault in faults]
    return (
        f'<div id="faults"><div class="timeline" aria-hidden="true">{bars}'
        f'<div class="axis"><span>0 s</span><span>{end_s:.1f} s</span></div></div>'
        f'<div class="table-box">{table(_HEADINGS, rows, text_columns=2)}</div></div>'
    )


_KEYS: Final = ("fault", "on", "begin_s", "end_s", "strikes", "ready_after_s", "answer_after_s")


def _bar(fault: Mapping[str, Any], end_s: float) -> str:
    """One that goes on is open at its right end."""
    begin, end = fault["begin_s"], fault["end_s"]
    if begin is None:
        return ""
    left = 100 * min(max(begin, 0.0), end_s) / end_s
    width = max(100 * (end_s if end is None else end) / end_s - left, 0.6)
    name = f"{fault['fault']} {fault['on'] or ''}".strip()
    going = " going" if end is None else ""
    return (
        f'<div class="row"><span>{escape(name)}</span><div><i class="fault{going}" '
        f'style="left:{left:.2f}%;width:{min(width, 100 - left):.2f}%"></i></div></div>'
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
