"""Some requests: what was asked and answered, and each image with what became of its tokens."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from launch.observe.requests import RequestView
from launch.report.history import History
from launch.report.markup import image, section
from launch.report.symbols import constellation
from launch.token_overlay import kinds_of, legend_html, overlay_svg

_SHAPE: Final = (240, 160)
"""Of the place for a thumbnail."""


def samples(summary: Mapping[str, Any], history: History, run_dir: Path) -> str:
    """Nothing for a run without a workload."""
    if not summary["samples"]:
        return ""
    views = {view.index: view for view in history.seen.requests.all() if view.index is not None}
    lines = [(line, views.get(line["index"])) for line in summary["samples"]]
    shown = [kind for _, view in lines if view is not None for kind in _kinds(view)]
    legend = f"<p>Image tokens of all of these:</p>{legend_html(shown)}" if shown else ""
    cards = "".join(_card(line, view, run_dir) for line, view in lines)
    heard = next((view.air for _, view in lines if view is not None and view.air is not None), None)
    drawn = "" if heard is None else f"<figure>{constellation(heard)}</figure>"
    note = "<p>Evenly spaced over the workload, not picked by result.</p>"
    return section("Some requests", f'{note}{legend}<div class="samples">{cards}</div>{drawn}')


def _card(line: Mapping[str, Any], view: RequestView | None, run_dir: Path) -> str:
    mark = "none" if line["score"] is None else "right" if line["score"] >= 1 else "wrong"
    answer = escape(line["answer"]) if line["answer"] is not None else f"<i>{escape(line['state'])}</i>"
    rows = f"<dt>answer</dt><dd class='{mark}'>{answer}</dd>"
    if line["expected"] is not None:
        rows += f"<dt>expected</dt><dd>{escape(line['expected'])}</dd>"
    if line["control"] is not None:
        rows += f"<dt>erased</dt><dd>{escape(line['control'])}</dd>"
    if line["task"] == "caption" and line["score"] is not None:
        rows += f"<dt>F1</dt><dd>{line['score']:.2f}</dd>"
    question = escape(line["text"][:400]) or f"<i>{escape(line['task'])}</i>"
    tokens = "" if view is None else overlay_svg(_kinds(view), *_SHAPE)
    picture = image(run_dir, line["thumbnail"]) + tokens
    who = f"request {line['index']} · user {line['user']} · {escape(line['kind'])} · {escape(line['state'])}"
    return (
        f'<article><div class="picture">{picture}</div>' if picture else "<article>"
    ) + f'<p class="q">{question}</p><dl>{rows}</dl><p class="who">{who}</p></article>'


def _kinds(view: RequestView) -> tuple[str, ...]:
    return kinds_of(view.sent_layout, view.heard_layout)
