"""Drawings show what the code says, can be read without seeing them, and stay on their sheets."""

import re
from xml.etree import ElementTree

import pytest

from basestation.requests import TERMINAL, TRANSITIONS
from launch.reference.drawings import states
from launch.reference.drawings.life import STEPS
from launch.reference.journal_events import EVENTS
from launch.reference.pages import DRAWINGS, ROOT

SVG = "{http://www.w3.org/2000/svg}"


def edges(terminal: bool) -> set[tuple[str, str, str]]:
    """(from, event, to) of every step that leads to another state."""
    return {
        (state.value, event.value, to.value)
        for (state, event), to in TRANSITIONS.items()
        if state != to and (to in TERMINAL) == terminal
    }


def test_every_step_of_a_request_is_drawn_and_no_other() -> None:
    drawn = {(a, event, b) for (a, b), events in states.OPEN_EDGES.items() for event in events}
    assert drawn == edges(terminal=False)
    ends = {
        (state, event, end)
        for end, events in states.ENDS.items()
        for event in events
        for state in states.FROM[event]
    }
    assert ends == edges(terminal=True)


def test_the_life_names_files_and_events_that_there_are() -> None:
    svg = DRAWINGS["life.svg"]()
    files = set(re.findall(r"\w+\.py", svg))
    assert len(files) > 5
    assert {name for name in files if not any(ROOT.rglob(f"*/{name}"))} == set()
    assert {event for _, _, events in STEPS for event in events} <= EVENTS.keys()
    italics = {word for line in re.findall(r'class="event"[^>]*>([^<]*)<', svg) for word in line.split(", ")}
    assert {word.rstrip(",") for word in italics if " " not in word and ":" not in word} <= EVENTS.keys()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_whole(name: str) -> None:
    svg = ElementTree.fromstring(DRAWINGS[name]())
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert svg.attrib["role"] == "img"
    for part in svg.attrib["aria-labelledby"].split():
        (said,) = [e for e in svg.iter() if e.attrib.get("id") == part]
        assert said.text
    for rect in svg.iter(f"{SVG}rect"):
        x, y = float(rect.attrib.get("x", 0)), float(rect.attrib.get("y", 0))
        assert x + float(rect.attrib["width"]) <= width
        assert y + float(rect.attrib["height"]) <= height
    for text in svg.iter(f"{SVG}text"):
        shown = 7.0 * len(text.text or "")  # pixels, more or less
        x, anchor = float(text.attrib["x"]), text.attrib["text-anchor"]
        left = {"start": x, "middle": x - shown / 2, "end": x - shown}[anchor]
        assert left >= 0, text.text
        assert left + shown <= width, text.text
        assert float(text.attrib["y"]) <= height


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_loads_nothing(name: str) -> None:
    svg = DRAWINGS[name]()
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in svg
