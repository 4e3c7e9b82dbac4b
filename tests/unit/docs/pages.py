"""The pages of the project, and what is in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """Without blocks of code."""
    return _FENCE.sub("", text)


def spans(text: str) -> Iterator[str]:
    """What stands in `code` within prose."""
    yield from (" ".join(span.split()) for span in _SPAN.findall(prose(text)))


def links(text: str) -> Iterator[str]:
    yield from _LINK.findall(_SPAN.sub("", prose(text)))


def anchors(text: str) -> set[str]:
    """Of its headings, as GitHub and the site name them."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", h) for h in _HEADING.findall(prose(text)))
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in plain}


def commands(text: str) -> Iterator[list[str]]:
    """Words after `m4sc` of every command, in blocks of code (a pipe or a comment ends it) and in prose."""
    for kind, block in _FENCE.findall(text):
        if kind in ("", "bash", "sh", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                yield from _command(line)
    for span in spans(text):
        if span.startswith("m4sc "):
            yield from _command(span)


def _command(line: str) -> Iterator[list[str]]:
    found = re.match(r"\s*(?:[A-Z_0-9]+=\S+ )*(?:nice )?(?:\S*/)?m4sc( .*)?$", line)
    if found:
        words = shlex.split((found.group(1) or "").replace("…", "..."), comments=True)
        ends = [words.index(end) for end in ("|", "&", "&&", ">", "…") if end in words]
        yield words[: min(ends)] if ends else words
