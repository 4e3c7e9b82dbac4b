"""Markdown from values, and the places in a page where it goes.

<!-- generated: NAME -->
what the block of that name says
<!-- end -->
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

Block = Callable[[], str]
_PLACE = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_START = "<!-- generated:"


class PageError(ValueError):
    """A page that cannot be filled; one line that says why."""


def filled(page: str, blocks: Mapping[str, Block]) -> str:
    """The page with what each block says at its place. Raises `PageError`."""

    def fill(place: re.Match[str]) -> str:
        begin, name, end = place.groups()
        if name not in blocks:
            raise PageError(f"no block is called {name}, expected one of {', '.join(sorted(blocks))}")
        return f"{begin}\n{blocks[name]().strip()}\n\n{end}"

    result, places = _PLACE.subn(fill, page)
    if places != page.count(_START):
        raise PageError(f"{page.count(_START)} places begin with {_START!r}, {places} of them have an end")
    return result


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def code(text: object) -> str:
    return f"`{text}`"


def one_paragraph(text: str) -> str:
    """Lines of a docstring on one."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return one_paragraph(text).replace("|", "\\|")
