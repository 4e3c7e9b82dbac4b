"""Tokens over their image: every kind has a shape of its own, and words."""

import re
from xml.etree import ElementTree

import pytest

from launch.token_overlay import KINDS, describe, kinds_of, legend_html, overlay_svg

EVERY = "1D1P1V1K"
LOST = "1D1E1V1K"


def test_the_kind_of_a_token_is_what_both_ends_say() -> None:
    assert kinds_of(EVERY) == ("dropped", "public", "private", "cached")
    assert kinds_of(EVERY, LOST) == ("dropped", "erased", "private", "cached")
    assert kinds_of("") == kinds_of("nonsense") == kinds_of("4D", "3D") == ()


def test_what_is_drawn_is_well_formed_and_said_in_words() -> None:
    kinds = kinds_of(EVERY, LOST)
    svg = ElementTree.fromstring(overlay_svg(kinds, 240, 160))
    assert svg.get("aria-label") == f"image tokens: {describe(kinds)}"
    assert describe(kinds) == "1 private, 1 cached, 1 erased, 1 dropped"
    assert len(svg) == 3 * 2 + 1  # outline and mark of each; what is dropped is one dark cell
    ElementTree.fromstring(legend_html(kinds))
    assert legend_html(kinds).count("<li>") == 4


def test_every_kind_has_a_shape_of_its_own() -> None:
    shapes = {re.sub(r"[-0-9. ]+", "", kind.mark(0, 0, 1)) if kind.mark is not None else "" for kind in KINDS}
    assert len(shapes) == len(KINDS)


@pytest.mark.parametrize("count", [0, 2, 99])
def test_what_is_no_square_is_not_drawn(count: int) -> None:
    assert overlay_svg(("public",) * count, 240, 160) == ""
