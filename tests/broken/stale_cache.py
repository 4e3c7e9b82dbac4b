"""A UE whose cache gives the image that was in a slot before the one that is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from shared.semantic_cache import Slot
from shared.spec import RoleSpec
from userequipment import process
from userequipment.image_cache import ImageCache, KeptImage


@contextmanager
def defect() -> Iterator[None]:
    keep, find = ImageCache.keep, ImageCache.find
    before: dict[tuple[int, int], KeptImage] = {}

    def keeping(self: ImageCache, slot: Slot, *image: Any) -> None:
        if slot.number in self._slots:
            before[id(self), slot.number] = self._slots[slot.number]
        keep(self, slot, *image)

    def finding(self: ImageCache, slot: Slot) -> KeptImage | None:
        return before.get((id(self), slot.number)) or find(self, slot)

    with patch.object(ImageCache, "keep", keeping), patch.object(ImageCache, "find", finding):
        yield


def main(spec: RoleSpec) -> int:
    with defect():
        return process.main(spec)
