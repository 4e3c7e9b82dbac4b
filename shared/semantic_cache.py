"""The semantic cache: images that a UE has received and keeps, and how both ends speak of them.

The base station allots a UE's slots. An index map says into which slot the UE shall put the image that comes
with it, or that the image is the one in a slot; in both cases with a version, which is a new one for every
image that is put anywhere. A UE that has another version there, or nothing, says so, and is sent the image.
"""

from dataclasses import dataclass
from typing import Final

SLOT_BITS: Final = 4
VERSION_BITS: Final = 12
SLOTS: Final = 2**SLOT_BITS
VERSIONS: Final = 2**VERSION_BITS


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a UE's cache, and which image is meant there."""

    number: int
    version: int

    def __post_init__(self) -> None:
        if not (0 <= self.number < SLOTS and 0 <= self.version < VERSIONS):
            raise ValueError(
                f"slot {self.number}, version {self.version}: expected below {SLOTS}, {VERSIONS}"
            )


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image in a slot. `identity`: the transmission that it comes from."""

    slot: Slot
    identity: str


def identity_of(group_id: int, request_id: str) -> str:
    """Which transmission an image in a cache comes from; both ends know it without a word on the air."""
    return f"{group_id}:{request_id}"
