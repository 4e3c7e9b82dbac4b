"""Image tokens drawn over their image: what was sent once, what privately, what was known, dropped or erased.

Told apart by shape as well as by colour (Okabe and Ito's palette): public ●, private ■, cached ▲, erased ×;
what was not sent is darkened. Pure text: the same tokens give the same SVG.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from shared.token_layout import parse_layout
from shared.token_runs import TokenState

_LINE: Final = 0.05  # of a cell
_RIM: Final = 0.03
_MARK: Final = 0.17
_CORNER: Final = 0.26  # where the mark's middle is: what the cell shows stays to be seen


class Kind(NamedTuple):
    """How one kind of token is shown. `mark`: path data around a point, half as large as a number says."""

    name: str
    meaning: str
    colour: str
    mark: Callable[[float, float, float], str] | None


def _disc(x: float, y: float, r: float) -> str:
    return f"M{x - r:.2f} {y:.2f}a{r:.2f} {r:.2f} 0 1 0 {2 * r:.2f} 0a{r:.2f} {r:.2f} 0 1 0 {-2 * r:.2f} 0z"


def _square(x: float, y: float, r: float) -> str:
    return f"M{x - r:.2f} {y - r:.2f}h{2 * r:.2f}v{2 * r:.2f}h{-2 * r:.2f}z"


def _triangle(x: float, y: float, r: float) -> str:
    return f"M{x:.2f} {y - r:.2f}l{r:.2f} {2 * r:.2f}h{-2 * r:.2f}z"


def _cross(x: float, y: float, r: float) -> str:
    a, b = 1.15 * r, 0.55 * r
    corners = [(-a, -a + b), (-a + b, -a), (0, -b), (a - b, -a), (a, -a + b), (b, 0),
               (a, a - b), (a - b, a), (0, b), (-a + b, a), (-a, a - b), (-b, 0)]  # fmt: skip
    return "M" + "L".join(f"{x + dx:.2f} {y + dy:.2f}" for dx, dy in corners) + "z"


KINDS: Final = (
    Kind("public", "sent once, to several users", "#56B4E9", _disc),
    Kind("private", "sent to this user alone", "#E69F00", _square),
    Kind("cached", "known to this user from before", "#009E73", _triangle),
    Kind("erased", "lost on the way", "#D55E00", _cross),
    Kind("dropped", "not sent", "#000000", None),
)
_KIND_OF: Final = {
    TokenState.PUBLIC: "public",
    TokenState.PRIVATE: "private",
    TokenState.KNOWN: "cached",
    TokenState.ERASED: "erased",
    TokenState.UNSELECTED: "dropped",
}


def kinds_of(sent_layout: str, heard_layout: str = "") -> tuple[str, ...]:
    """The kind of each token, in raster order, from what both ends told (`shared.token_layout`).

    Nothing where the base station told nothing, or no layout. What the UE told counts where it lost a token.
    """
    try:
        sent = parse_layout(sent_layout)
        heard = parse_layout(heard_layout) or sent
    except ValueError:
        return ()
    if len(heard) != len(sent):
        return ()
    lost = TokenState.ERASED
    return tuple(_KIND_OF[lost if b is lost else a] for a, b in zip(sent, heard, strict=True))


def describe(kinds: Iterable[str]) -> str:
    """'18 private, 82 dropped': for those who do not see the picture."""
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind.name]} {kind.name}" for kind in KINDS if counts[kind.name])


def overlay_svg(kinds: Sequence[str], width: int, height: int) -> str:
    """An `<svg>` to lie over an image of that size or shape; empty for a number that makes no square grid."""
    side = math.isqrt(len(kinds))
    if not kinds or side * side != len(kinds):
        return ""
    cell_w, cell_h = width / side, height / side
    radius = _MARK * min(cell_w, cell_h)
    drawn = ""
    for kind in KINDS:
        places = [divmod(place, side) for place, name in enumerate(kinds) if name == kind.name]
        if not places:
            continue
        cells = "".join(
            f"M{c * cell_w:.2f} {r * cell_h:.2f}h{cell_w:.2f}v{cell_h:.2f}h{-cell_w:.2f}z" for r, c in places
        )
        if kind.mark is None:
            drawn += f'<path d="{cells}" fill="{kind.colour}" fill-opacity="0.55"/>'
            continue
        marks = "".join(kind.mark((c + _CORNER) * cell_w, (r + _CORNER) * cell_h, radius) for r, c in places)
        drawn += (
            f'<path d="{cells}" fill="none" stroke="{kind.colour}" stroke-width="{_LINE * cell_h:.2f}"/>'
            f'<path d="{marks}" fill="{kind.colour}" stroke="#fff" stroke-width="{_RIM * cell_h:.2f}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        f'role="img" aria-label="image tokens: {describe(kinds)}">{drawn}</svg>'
    )


def legend_html(kinds: Sequence[str]) -> str:
    """A list of the kinds that there are, with mark, number and meaning."""
    counts = Counter(kinds)
    lines = ""
    for kind in KINDS:
        if not counts[kind.name]:
            continue
        shape = _square(8, 8, 7) if kind.mark is None else kind.mark(8, 8, 6)
        opacity = 0.55 if kind.mark is None else 1
        lines += (
            f'<li><svg width="16" height="16" aria-hidden="true"><path d="{shape}" fill="{kind.colour}" '
            f'fill-opacity="{opacity}"/></svg> {counts[kind.name]} {kind.name} '
            f"<small>{kind.meaning}</small></li>"
        )
    return f'<ul class="legend">{lines}</ul>'
