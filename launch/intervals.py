"""95% intervals for shares of right answers: bootstrap clustered by image, Wilson's where that is impossible.

Questions on one image stand or fall together, so images are drawn, not questions (Davison & Hinkley 1997,
section 3.8). Wilson 1927 for what has fewer than `MIN_CLUSTERS` images, or no spread at all.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.rng import generator

RESAMPLES = 2_000
MIN_CLUSTERS = 10
_Z95 = 1.959963984540054

Interval = tuple[float, float]
Floats = npt.NDArray[np.float64]


def wilson(correct: float, total: int) -> Interval:
    """Wilson's score interval; (0, 1) when there is nothing to judge by."""
    if total <= 0:
        return 0.0, 1.0
    share = correct / total
    spread = 1.0 + _Z95**2 / total
    centre = (share + _Z95**2 / (2 * total)) / spread
    half = _Z95 * math.sqrt(share * (1 - share) / total + _Z95**2 / (4 * total**2)) / spread
    return max(0.0, centre - half), min(1.0, centre + half)


def resampled_shares(
    values: Sequence[float], clusters: Sequence[str], groups: Sequence[str], seed: int
) -> Floats | None:
    """Mean of `values` per group in each resample of clusters: [RESAMPLES, n groups], groups sorted.

    The same clusters and seed give the same resamples, so two series on the same questions can be compared
    pairwise. None with fewer than `MIN_CLUSTERS` clusters. A group that a resample misses is nan there.
    """
    names = sorted(set(clusters))
    if len(names) < MIN_CLUSTERS:
        return None
    group_names = sorted(set(groups))
    row = {name: place for place, name in enumerate(names)}
    column = {name: place for place, name in enumerate(group_names)}
    sums_CG = np.zeros((len(names), len(group_names)))
    counts_CG = np.zeros_like(sums_CG)
    for value, cluster, group in zip(values, clusters, groups, strict=True):
        sums_CG[row[cluster], column[group]] += value
        counts_CG[row[cluster], column[group]] += 1
    rng = generator(seed, "bootstrap")
    drawn_RC = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((drawn_RC @ sums_CG) / (drawn_RC @ counts_CG), dtype=np.float64)


def percentile_interval(samples: Floats) -> Interval | None:
    """Central 95% of resampled values; None when they do not vary."""
    finite = samples[np.isfinite(samples)]
    if finite.size == 0 or float(np.ptp(finite)) == 0.0:
        return None
    low, high = np.percentile(finite, (2.5, 97.5))
    return float(low), float(high)
