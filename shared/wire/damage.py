"""Headers with wrong bits, for faults: what the codec then finds is what it finds in any damaged header."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shared.wire.codec import Part, is_sound


@dataclass(frozen=True, slots=True)
class HeaderErrors:
    """How many bits of a header are wrong, and the seed of where."""

    bits: int
    seed: int


def with_header_errors(parts: Sequence[Part], errors: HeaderErrors) -> list[Part]:
    """An encoded message with wrong bits in its header. The payload is its own object."""
    n_bits = 8 * len(parts[0])
    rng = np.random.Generator(np.random.SFC64(errors.seed))
    places = rng.choice(n_bits, min(errors.bits, n_bits), replace=False)
    return [inverted(bytes(parts[0]), places.tolist()), *parts[1:]]


def inverted(header: bytes, places: Iterable[int]) -> bytes:
    """A header with the bits at these places (the lowest of byte 0 is 0) inverted, which `decode` refuses.

    A checksum of 32 bits overlooks one in 2^32 patterns of more than a few errors: there the first bit is
    wrong too, and no single further error is overlooked.
    """
    damaged = bytearray(header)
    for place in places:
        damaged[place // 8] ^= 1 << place % 8
    if is_sound(bytes(damaged)):
        damaged[0] ^= 1
    return bytes(damaged)
