"""When requests come at rates that change: the run's time in equal parts, each at a rate of its own."""

from collections.abc import Sequence

import numpy as np


def part_s(rates_per_s: Sequence[float], requests: int) -> float:
    """How long each part lasts, so that all together bring `requests`."""
    return requests / sum(rates_per_s)


def times_s(
    expected: Sequence[float] | np.ndarray, rates_per_s: Sequence[float], requests: int
) -> list[float]:
    """The times at which so many requests have come on average; the last part goes on beyond its end.

    Of the points of a Poisson process of rate one (`expected`) these are the times of one at the changing
    rate: t = inverse of the integrated rate (Daley and Vere-Jones, the random time change).
    """
    rates = np.asarray(rates_per_s, dtype=np.float64)
    length_s = part_s(rates_per_s, requests)
    begun = np.concatenate([[0.0], np.cumsum(rates)[:-1] * length_s])  # requests until each part begins
    wanted = np.asarray(expected, dtype=np.float64)
    part = np.searchsorted(begun, wanted, side="right") - 1
    found: list[float] = (part * length_s + (wanted - begun[part]) / rates[part]).tolist()
    return found
