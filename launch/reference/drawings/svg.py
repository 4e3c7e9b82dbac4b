"""Boxes, arrows and words on a sheet; what makes up a drawing."""

from collections.abc import Sequence
from html import escape
from typing import Final

Point = tuple[float, float]
LINE: Final = 17.0
"""Between two lines of text, in pixels."""
_STYLE: Final = """
  .sheet { fill: #ffffff; } text { fill: #1f2328; font: 13px system-ui, sans-serif; }
  .box { fill: #eef2f7; stroke: #57606a; } .zone { fill: none; stroke: #8c959f; stroke-dasharray: 2 4; }
  .end { fill: #e3f1e5; stroke: #2f6f3a; } .count { fill: #fff4d6; stroke: #8a6100; }
  .title { font-weight: 600; } .small { font-size: 12px; } .event { font-style: italic; fill: #6a3fa0; }
  .data { stroke: #0b5cad; fill: none; stroke-width: 1.6; }
  .control { stroke: #9a4a00; fill: none; stroke-width: 1.4; stroke-dasharray: 6 4; }
  .tip { fill: context-stroke; } .life { stroke: #8c959f; fill: none; }
  @media (prefers-color-scheme: dark) {
    .sheet { fill: #14181d; } text { fill: #e6edf3; } .box { fill: #232b35; stroke: #9198a1; }
    .end { fill: #1d3323; stroke: #6cc07a; } .count { fill: #3a3014; stroke: #e0b040; }
    .event { fill: #c8a8ff; } .data { stroke: #6cb0ff; } .control { stroke: #ffab66; }
    .zone, .life { stroke: #6e7681; }
  }
"""


class Sheet:
    """A drawing of some size; `title` and `description` are what it says to who cannot see it."""

    def __init__(self, width: int, height: int, title: str, description: str) -> None:
        self._size = width, height
        self._title, self._description = title, description
        self._parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, lines: Sequence[str], kind: str = "box") -> None:
        """A rectangle with centred lines, the first of them its title; of a `zone` it stands at the top."""
        self._parts.append(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="6"/>')
        if kind == "zone":
            self.words(x + 10, y + 18, lines, "small")
            return
        first = y + h / 2 - LINE * (len(lines) - 1) / 2 + 4.5
        for number, line in enumerate(lines):
            self._text(x + w / 2, first + LINE * number, line, "small" if number else "title", "middle")

    def arrow(self, points: Sequence[Point], kind: str = "data", both: bool = False) -> None:
        """Through these points, with a tip at the last one, or at both ends."""
        path = " L ".join(f"{x:g} {y:g}" for x, y in points)
        start = ' marker-start="url(#tip)"' if both else ""
        self._parts.append(f'<path class="{kind}" d="M {path}"{start} marker-end="url(#tip)"/>')

    def line(self, a: Point, b: Point, kind: str = "life") -> None:
        self._parts.append(f'<path class="{kind}" d="M {a[0]:g} {a[1]:g} L {b[0]:g} {b[1]:g}"/>')

    def words(
        self, x: float, y: float, lines: Sequence[str], kind: str = "small", anchor: str = "start"
    ) -> None:
        """Lines of text, the first one's foot at `y`."""
        for number, line in enumerate(lines):
            self._text(x, y + LINE * number, line, kind, anchor)

    def svg(self) -> str:
        width, height = self._size
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
                f' height="{height}" role="img" aria-labelledby="title description">',
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="description">{escape(self._description)}</desc>',
                f"<style>{_STYLE}</style>",
                '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8"'
                ' markerHeight="8" orient="auto-start-reverse"><path class="tip" d="M 0 0 L 10 5 L 0 10 z"/>'
                "</marker></defs>",
                f'<rect class="sheet" width="{width}" height="{height}"/>',
                *self._parts,
                "</svg>\n",
            ]
        )

    def _text(self, x: float, y: float, line: str, kind: str, anchor: str) -> None:
        self._parts.append(
            f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(line)}</text>'
        )
