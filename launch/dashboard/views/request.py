"""One request: what was asked, what was sent of its image, what came out, and where the time went."""

from collections.abc import Mapping
from html import escape
from typing import Final

from launch.dashboard.scene import Scene
from launch.observe.requests import RequestView
from launch.token_overlay import kinds_of, legend_html, overlay_svg

PICTURE: Final = (480, 320)
"""Width and height of the place for an image, pixels."""
_COLOURS: Final = (
    "#999999", "#56B4E9", "#0072B2", "#CC79A7", "#E69F00", "#333333", "#F0E442", "#009E73", "#D55E00",
)  # fmt: skip


def request_html(scene: Scene, view: RequestView, picture_url: str | None) -> str:
    """`picture_url`: where the page finds the image; None where there is none any more."""
    said = f"{_facts(scene, view)}{_stages(view.stage_ms)}"
    return f'<div class="request">{_picture(view, picture_url)}<div>{said}</div></div>'


def _picture(view: RequestView, url: str | None) -> str:
    kinds = kinds_of(view.sent_layout, view.heard_layout)
    svg = overlay_svg(kinds, *PICTURE)
    if url is None and not svg:
        return ""
    name = escape(view.request_id)
    image = "" if url is None else f'<img src="{escape(url)}" alt="the image of request {name}">'
    legend = f"<figcaption>{legend_html(kinds)}</figcaption>"
    return f'<figure><div class="picture">{image}{svg}</div>{legend}</figure>'


def _facts(scene: Scene, view: RequestView) -> str:
    question = scene.watch.question_of(view) or f"({view.task})"
    expected = scene.watch.expected_of(view)
    lines = [
        ("status", view.state or view.phase),
        ("answer", view.answer or "–"),
        ("expected", expected),
        ("with the image erased", view.control),
        ("reason", view.reason),
        ("user", str(view.user)),
        ("task", view.task),
        ("latency", None if view.latency_ms is None else f"{view.latency_ms:.0f} ms"),
        ("transmissions", str(view.attempts) if view.attempts else None),
        ("tokens lost", str(view.erased_tokens) if view.erased_tokens else None),
        ("SNR", _snr(view.air)),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in lines if value)
    return f"<h3>{escape(question)}</h3><dl>{rows}</dl>"


def _snr(air: Mapping[str, object] | None) -> str | None:
    if air is None or air.get("snr_db") is None:
        return None
    received = air.get("received_db")
    return f"{air['snr_db']} dB on average" + ("" if received is None else f", received with {received} dB")


def _stages(stage_ms: Mapping[str, float]) -> str:
    """A bar whose parts are as long as the stages took, and the numbers in words."""
    total = sum(stage_ms.values())
    if not total:
        return ""
    bar = "".join(
        f'<span style="width:{100 * ms / total:.2f}%;background:{_COLOURS[n % len(_COLOURS)]}" '
        f'title="{escape(name)} {ms:.1f} ms"></span>'
        for n, (name, ms) in enumerate(stage_ms.items())
    )
    words = "".join(
        f'<li><i style="background:{_COLOURS[n % len(_COLOURS)]}"></i>'
        f"{escape(name.replace('_', ' '))} {ms:.1f} ms</li>"
        for n, (name, ms) in enumerate(stage_ms.items())
    )
    return f'<div class="bar" aria-hidden="true">{bar}</div><ul class="stages">{words}</ul>'
