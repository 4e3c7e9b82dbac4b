"""How long it takes to find similar tokens of many users, what is missed, and how much memory it needs.

References of the same run: for time, the similarities of all pairs alone; for what is found, every token
against every leader. Tokens are drawn for it: prototypes of Zipf's distribution, each a little off.

Shapes: M tokens, D width, P prototypes.
"""

import os
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from basestation.similar import BLOCK, leaders_of
from shared.config import SharingConfig

PROTOTYPES: Final = 4_000
NOISE: Final = 0.03
"""Of a token's deviation, that of its prototype's values being 1: cosine 0.999 on average."""
REPEATS: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One number of users. Without references where these would take too long."""

    users: int
    tokens: int
    seconds: float
    peak_mib: float
    merged: int
    all_pairs_s: float | None
    all_pairs_merged: int | None

    @property
    def speed_up(self) -> float | None:
        return None if self.all_pairs_s is None else self.all_pairs_s / self.seconds

    @property
    def found(self) -> float | None:
        """Of what can be merged, the share that is."""
        return None if not self.all_pairs_merged else self.merged / self.all_pairs_merged


def bench(
    users: Sequence[int],
    tokens_per_user: int,
    width: int,
    reference_users: int,
    seed: int,
    say: Callable[[str], None],
) -> list[Line]:
    """A line for each number of users; references up to `reference_users`."""
    sharing = SharingConfig()
    lines = []
    for count in users:
        say(f"{count} users, {count * tokens_per_user:,} tokens of {width}")
        tokens_MD = draw_tokens(count * tokens_per_user, width, seed)
        weights_M = np.ones(len(tokens_MD))
        find = partial(leaders_of, tokens_MD, weights_M, sharing)
        seconds = min(_timed(find) for _ in range(REPEATS))
        tracemalloc.start()
        merged = _merged(find())
        peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        reference_s = reference = None
        if count <= reference_users:
            reference_s = _timed(partial(all_similarities, tokens_MD, sharing))
            reference = _merged(find(pivots=1))
        lines.append(Line(count, len(tokens_MD), seconds, peak_mib, merged, reference_s, reference))
    return lines


def draw_tokens(amount: int, width: int, seed: int) -> np.ndarray:
    """Tokens [M, D] float32."""
    rng = np.random.default_rng(seed)
    base_PD = rng.standard_normal((PROTOTYPES, width), np.float32)
    share = 1.0 / np.arange(1, PROTOTYPES + 1)
    chosen = rng.choice(PROTOTYPES, amount, p=share / share.sum())
    tokens: np.ndarray = base_PD[chosen] + np.float32(NOISE) * rng.standard_normal(
        (amount, width), np.float32
    )
    return tokens


def all_similarities(tokens_MD: np.ndarray, sharing: SharingConfig) -> int:
    """How many pairs pass the cosine test, found in blocks, each pair once."""
    unit_MD = tokens_MD / np.linalg.norm(tokens_MD, axis=1, keepdims=True)
    pairs = 0
    for start in range(0, len(unit_MD), BLOCK):
        rows = unit_MD[start : start + BLOCK]
        for other in range(start, len(unit_MD), BLOCK):
            pairs += int((rows @ unit_MD[other : other + BLOCK].T >= sharing.cosine_threshold).sum())
    return pairs


def draw(lines: Sequence[Line], path: Path) -> None:
    """Seconds against tokens, both logarithmic."""
    figure, axis = plt.subplots(figsize=(6.4, 4.4))
    axis.plot(
        [n.tokens for n in lines],
        [n.seconds for n in lines],
        "-o",
        label="neighbours (basestation/similar.py)",
    )
    known = [n for n in lines if n.all_pairs_s is not None]
    if known:
        axis.plot(
            [n.tokens for n in known],
            [n.all_pairs_s or 0 for n in known],
            "-s",
            label="similarities of all pairs",
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("tokens")
    axis.set_ylabel("seconds")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8)
    figure.tight_layout()
    fresh = path.with_suffix(".tmp.png")
    figure.savefig(fresh, dpi=110)
    plt.close(figure)
    os.replace(fresh, path)


def _merged(leader_M: np.ndarray) -> int:
    return int((leader_M != np.arange(len(leader_M))).sum())


def _timed(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s
