"""Similar tokens among many: who may stand in for whom, without comparing all pairs.

Two tokens are similar when they pass three tests against thresholds: cosine similarity, and the means and the
variances of the two vectors (M4SC, section on semantic sharing). Greedy: a token that resembles many becomes
a leader and stands in for them; a leader is never replaced, so no chain of small steps adds up to a large
one.

Only neighbours are compared (an inverted file with several probes: Jegou, Douze and Schmid 2011): every token
has its home at the nearest of about sqrt(M) pivots, drawn from the tokens themselves, and is compared with
those at home there and with the leaders for which that pivot is among the `PROBES` nearest. So M tokens take
about M^1.5 comparisons in blocks of bounded size, and a pair is missed when each lies behind a border that
the other's probes do not reach.

Shapes: M tokens, D width, C pivots, B block, L leaders.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from threadpoolctl import ThreadpoolController

from shared.config import SharingConfig

PROBES: Final = 3
BLOCK: Final = 1_024
FEW: Final = 512
"""So many tokens are compared all with all."""
_BLAS: Final = ThreadpoolController()
_OWN: Final = 1e-6
"""Of equals the one whose own uses are more leads: then fewer are replaced."""


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What the three tests look at."""

    unit_MD: np.ndarray
    mean_M: np.ndarray
    variance_M: np.ndarray

    @classmethod
    def of(cls, vectors_MD: np.ndarray) -> "_Tokens":
        norm_M1 = np.linalg.norm(vectors_MD, axis=1, keepdims=True)
        unit_MD = (vectors_MD / np.maximum(norm_M1, 1e-12)).astype(np.float32)
        return cls(unit_MD, vectors_MD.mean(1), vectors_MD.var(1))

    def similar(self, rows: np.ndarray, columns: np.ndarray, sharing: SharingConfig) -> np.ndarray:
        """Bool [rows, columns]: which pairs pass.

        Means are compared relative to the standard deviation, variances relative to the larger one, so that
        the thresholds have no unit.
        """
        passed = self.unit_MD[rows] @ self.unit_MD[columns].T >= sharing.cosine_threshold
        at, against = np.nonzero(passed)  # few are left for the other two
        mean, variance = self.mean_M, self.variance_M
        one, other = rows[at], columns[against]
        larger = np.maximum(variance[one], variance[other]) + 1e-12
        fits = np.abs(mean[one] - mean[other]) <= sharing.mean_threshold * np.sqrt(larger)
        fits &= np.abs(variance[one] - variance[other]) <= sharing.variance_threshold * larger
        passed[at, against] = fits
        found: np.ndarray = passed
        return found


def leaders_of(
    vectors_MD: np.ndarray,
    weights_M: np.ndarray,
    sharing: SharingConfig,
    seed: int = 0,
    pivots: int | None = None,
) -> np.ndarray:
    """For each token the index of the one that stands in for it, its own where it leads: int64 [M].

    `weights_M` says how often a token is used: leaders are those that serve most uses. `pivots` None: as many
    as M asks for; 1 compares all with all. On one thread: to hand a block's products to several costs more
    than it wins (65,536 tokens on two virtual cores: 1.5 s, and 0.8 on one).
    """
    with _BLAS.limit(limits=1, user_api="blas"):
        return _leaders_of(vectors_MD, weights_M, sharing, seed, pivots)


def _leaders_of(
    vectors_MD: np.ndarray, weights_M: np.ndarray, sharing: SharingConfig, seed: int, pivots: int | None
) -> np.ndarray:
    amount = len(vectors_MD)
    leader_M = np.full(amount, -1, np.int64)
    if not amount:
        return leader_M
    tokens = _Tokens.of(vectors_MD)
    count = _pivot_count(amount) if pivots is None else pivots
    if count == 1 and amount <= BLOCK:  # one home, one block
        _elect(tokens, np.arange(amount), weights_M, leader_M, sharing)
        return leader_M
    near_MP = _nearest_pivots(tokens.unit_MD, count, seed)
    order = np.argsort(near_MP[:, 0], kind="stable")
    homes, starts = np.unique(near_MP[order, 0], return_index=True)
    known: dict[int, list[np.ndarray]] = {}
    for home, members in zip(homes.tolist(), np.split(order, starts[1:]), strict=True):
        for start in range(0, len(members), BLOCK):
            block_B = members[start : start + BLOCK]
            leaders_L = np.concatenate(known.get(home, [np.empty(0, np.int64)]))
            left_B = _join(tokens, block_B, leaders_L, leader_M, sharing)
            fresh_L = _elect(tokens, left_B, weights_M, leader_M, sharing)
            for probe in range(near_MP.shape[1]):
                cells = near_MP[fresh_L, probe]
                for cell in np.unique(cells).tolist():
                    known.setdefault(cell, []).append(fresh_L[cells == cell])
    return leader_M


def _pivot_count(amount: int) -> int:
    return 1 if amount <= FEW else round(amount**0.5)


def _nearest_pivots(unit_MD: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The `PROBES` nearest pivots of every token, the nearest first, [M, P]."""
    chosen = np.random.default_rng(seed).choice(len(unit_MD), min(count, len(unit_MD)), replace=False)
    pivots_CD = unit_MD[chosen]
    probes = min(PROBES, len(chosen))
    near_MP = np.empty((len(unit_MD), probes), np.int64)
    for start in range(0, len(unit_MD), BLOCK):
        cosine_BC = unit_MD[start : start + BLOCK] @ pivots_CD.T
        best_BP = np.argpartition(-cosine_BC, probes - 1, axis=1)[:, :probes]
        rank_BP = np.argsort(-np.take_along_axis(cosine_BC, best_BP, 1), axis=1, kind="stable")
        near_MP[start : start + BLOCK] = np.take_along_axis(best_BP, rank_BP, 1)
    return near_MP


def _join(
    tokens: _Tokens, block_B: np.ndarray, leaders_L: np.ndarray, leader_M: np.ndarray, sharing: SharingConfig
) -> np.ndarray:
    """Give the tokens of a block to the first leader that they resemble; returns those that found none."""
    for start in range(0, len(leaders_L), BLOCK):
        some_L = leaders_L[start : start + BLOCK]
        similar_BL = tokens.similar(block_B, some_L, sharing)
        found_B = similar_BL.any(1)
        leader_M[block_B[found_B]] = some_L[similar_BL[found_B].argmax(1)]
        block_B = block_B[~found_B]
    return block_B


def _elect(
    tokens: _Tokens, block_B: np.ndarray, weights_M: np.ndarray, leader_M: np.ndarray, sharing: SharingConfig
) -> np.ndarray:
    """Leaders for a block, from within it: who serves most uses first, of equals who is used most.

    Returns them.
    """
    if not len(block_B):
        return block_B
    similar_BB = tokens.similar(block_B, block_B, sharing)
    np.fill_diagonal(similar_BB, True)
    leader_M[block_B] = np.where(similar_BB.sum(1) == 1, block_B, -1)
    waiting_B = leader_M[block_B] < 0
    weight_B = weights_M[block_B].astype(np.float64)
    while waiting_B.any():
        served_B = (similar_BB[:, waiting_B] @ weight_B[waiting_B] + _OWN * weight_B) * waiting_B
        head = int(served_B.argmax())
        joins_B = similar_BB[head] & waiting_B
        leader_M[block_B[joins_B]] = block_B[head]
        waiting_B &= ~joins_B
    leads_B = leader_M[block_B] == block_B
    return block_B[leads_B]
