"""A slot gives the image that is meant, or none: never another one."""

import torch

from shared.semantic_cache import Slot
from userequipment.image_cache import ImageCache


def test_another_version_in_the_slot_is_no_image() -> None:
    cache, tokens = ImageCache(), torch.ones(3, 2)
    assert cache.find(Slot(4, 1)) is None
    cache.keep(Slot(4, 1), "first", tokens, ["received"] * 3, 12.0)
    found = cache.find(Slot(4, 1))
    assert found is not None
    assert (found.identity, found.states, found.snr_db) == ("first", ("received",) * 3, 12.0)
    assert cache.find(Slot(4, 2)) is None
    assert cache.find(Slot(5, 1)) is None
    cache.keep(Slot(4, 2), "second", tokens, ["unselected"] * 3, 9.0)
    assert cache.find(Slot(4, 1)) is None


def test_what_is_kept_does_not_change_with_its_source() -> None:
    cache, tokens = ImageCache(), torch.ones(3, 2)
    cache.keep(Slot(0, 0), "x", tokens, ["received"] * 3, 0.0)
    tokens.zero_()
    found = cache.find(Slot(0, 0))
    assert found is not None
    assert found.tokens_ND.sum() == 6
