"""Randomness as an argument: independent generators named by what they are for.

Same names, same numbers, on every machine: the name is hashed (BLAKE2b), never Python's salted `hash`.
"""

import hashlib

import numpy as np


def derive_seed(*names: int | str) -> int:
    """A 128-bit seed for the stream that `names` describes, e.g. (run seed, 'noise', user, frame)."""
    text = "\x1f".join(f"{type(n).__name__}:{n}" for n in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


def generator(*names: int | str) -> np.random.Generator:
    """A NumPy generator (SFC64, the fastest of NumPy's for normal variates) for the stream `names`."""
    return np.random.Generator(np.random.SFC64(derive_seed(*names)))
