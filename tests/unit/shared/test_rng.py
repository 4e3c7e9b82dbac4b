"""Named streams of random numbers: the same everywhere, unlike for unlike names."""

import numpy as np

from shared.rng import derive_seed, generator


def test_a_name_gives_the_same_numbers_on_every_machine() -> None:
    # BLAKE2b-128 of "int:7\x1fstr:noise\x1fint:3", computed with `b2sum -l 128`.
    assert derive_seed(7, "noise", 3) == int("a11dbffc255d5b2ffbd4729302eea730", 16)


def test_unlike_names_give_unlike_streams() -> None:
    names = [
        (0, "noise", 1),
        (0, "noise", 2),
        (1, "noise", 1),
        (0, "fade", 1),
        (0, "noise", "1"),
        (0, "noise1"),
    ]
    draws = [tuple(generator(*name).standard_normal(4)) for name in names]
    assert len(set(draws)) == len(draws)


def test_streams_are_uncorrelated() -> None:
    n = 20_000
    a, b = (generator(0, "noise", user).standard_normal(n) for user in (1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(n)
