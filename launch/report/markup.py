"""Small pieces of HTML: everything that is text is escaped here or by the caller, nothing is loaded."""

import base64
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

STYLE = """
:root { color-scheme: light; --ink: #222; --soft: #666; --line: #e2e2e2; }
body { margin: 0; background: #f6f6f4; color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1020px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 26px; margin: 0; } header p { color: var(--soft); margin: 2px 0 18px; }
h2 { font-size: 18px; margin: 0 0 12px; }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 18px 22px;
  margin: 16px 0; overflow-x: auto; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); gap: 10px; }
.cards div { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.cards b { display: block; font-size: 17px; } .cards span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; margin: 6px 0; }
th, td { padding: 3px 12px 3px 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } .t { text-align: left; }
section p { color: var(--soft); font-size: 13.5px; max-width: 80ch; }
figure { margin: 0 0 10px; } figure svg { max-width: 100%; height: auto; }
p.verdict { font-size: 15px; color: var(--ink); }
p.verdict b { padding: 2px 10px; border-radius: 5px; color: #fff; }
.valid b { background: #1a7f4b; } .invalid b { background: #b3261e; } .unknown b { background: #9a6700; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(225px, 1fr)); gap: 14px; }
article { border: 1px solid var(--line); border-radius: 6px; padding: 10px; font-size: 13.5px; }
.picture { position: relative; aspect-ratio: 3 / 2; background: #ddd; }
.picture img, .picture svg { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 4px; }
ul.legend { list-style: none; margin: 6px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 16px;
  font-size: 13px; } ul.legend svg { vertical-align: -3px; } ul.legend small { color: var(--soft); }
nav { margin: 14px 2px; font-size: 13.5px; line-height: 1.9; } nav a { color: #0b5cad; }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; } nav { display: none; } }
.samples p.q { margin: 8px 0 4px; color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
p.who { margin: 6px 0 0; font-size: 12px !important; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 10px; margin: 0; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; } dd.right { color: #1a7f4b; } dd.wrong { color: #b3261e; }
pre { font-size: 12.5px; background: #f6f6f4; padding: 12px; border-radius: 6px; overflow-x: auto; }
"""


def section(title: str, body: str) -> str:
    """Its id is its title in small letters, joined by hyphens."""
    name = "-".join(re.findall(r"[a-z0-9]+", title.lower()))
    return f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>'


def contents(body: str) -> str:
    """A line of links to all sections of `body`."""
    found = re.findall(r'<section id="([a-z0-9-]+)"><h2>([^<]*)</h2>', body)
    links = " · ".join(f'<a href="#{name}">{title}</a>' for name, title in found)
    return f'<nav aria-label="contents">{links}</nav>'


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1) -> str:
    """A table whose first `text_columns` columns are text, the rest numbers."""
    if not rows:
        return "<p>Nothing.</p>"

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=t' if place < text_columns else ''}>{escape(cell)}</{tag}>"
            for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{line(headings, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def image(run_dir: Path, thumbnail: str | None) -> str:
    """A thumbnail of the run folder, inside the page; nothing if it is gone."""
    if thumbnail is None or Path(thumbnail).is_absolute() or ".." in Path(thumbnail).parts:
        return ""
    try:
        data = (run_dir / thumbnail).read_bytes()
    except OSError:
        return ""
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
