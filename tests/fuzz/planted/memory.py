"""Keeps 16 MiB of each input that begins with 'no'."""

SEEDS = (b"nn",)
TOKENS = ()

_kept: list[bytes] = []


def one_input(data: bytes) -> None:
    if data[:1] == b"n" and data[1:2] == b"o":
        _kept.append(b"x" * 2**24)
