"""A prefix is whole channel uses, at least its eighths, and all of them at eight."""

import pytest

from shared.rate import prefix_uses


def test_eighths_are_rounded_up() -> None:
    assert [prefix_uses(14, e) for e in range(1, 9)] == [2, 4, 6, 7, 9, 11, 13, 14]
    assert [prefix_uses(256, e) for e in (1, 8)] == [32, 256]
    assert prefix_uses(2, 1) == 1


@pytest.mark.parametrize("eighths", [0, 9])
def test_there_are_one_to_eight_eighths(eighths: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 8"):
        prefix_uses(14, eighths)
