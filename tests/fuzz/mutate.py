"""Inputs near those that a target starts from: the same ones for the same seed, without any coverage."""

import random
from collections.abc import Iterator, Sequence


def mutations(
    starts: Sequence[bytes], tokens: Sequence[bytes], seed: int, amount: int, max_bytes: int = 4_096
) -> Iterator[bytes]:
    """`amount` inputs, each one to eight small changes away from one of `starts`."""
    draw = random.Random(seed)
    for _ in range(amount):
        data = bytearray(draw.choice(starts))
        for _ in range(draw.choice((1, 1, 2, 4, 8))):
            _change(data, starts, tokens, draw)
        yield bytes(data[:max_bytes])


def _change(data: bytearray, starts: Sequence[bytes], tokens: Sequence[bytes], draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    end = min(len(data), at + draw.choice((1, 1, 2, 4, 16, 256)))
    match draw.randrange(7):
        case 0:
            del data[at:end]
        case 1:
            del data[at:]
        case 2 if at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        case 3:
            data[at:at] = data[at:end]
        case 4:
            data[at:end] = draw.randbytes(end - at)
        case 5 if tokens:
            data[at : draw.choice((at, end))] = draw.choice(tokens)
        case _:
            other = draw.choice(starts)
            data[at:] = other[draw.randrange(len(other) + 1) :]
