"""How long it takes to find similar tokens of many users, what is missed, and how much memory it needs.

References of the same run: for time, the similarities of all pairs alone; for what is found, every token
against every leader. Tokens are drawn for it: prototypes of Zipf's distribution, each a little off.

Shapes: M tokens, D width, P prototypes.
"""

import math
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from basestation.similar import BLOCK, leaders_of
from launch.bench.line import Line, Spread, Target
from launch.bench.order import ComparatorSizes, Order
from launch.bench.timing import cost_line
from shared.config import SharingConfig

PROTOTYPES: Final = 4_000
NOISE: Final = 0.03
"""Of a token's deviation, that of its prototype's values being 1: cosine 0.999 on average."""
REPEATS: Final = 3
AIMED: Final = (1_024, 64)
"""Users and tokens of each that the target is for."""
ALL_PAIRS: Final = "similarities of all pairs"


@dataclass(frozen=True, slots=True)
class Found:
    """For one number of users. Without references where these would take too long."""

    users: int
    tokens: int
    seconds: tuple[float, ...]
    peak_mib: float
    merged: int
    all_pairs_s: float | None
    all_pairs_merged: int | None


def bench(order: Order) -> list[Line]:
    """Seconds, memory and what is found for each number of users, and how the seconds grow."""
    sizes = order.comparator
    found = measure(sizes, order.seed, order.say)
    lines = [line for one in found for line in _lines(one, sizes)]
    compared = [one for one in found if one.all_pairs_s is not None]
    if len(compared) > 1:
        lines.append(_growth(compared[-2], compared[-1]))
    return lines


def measure(sizes: ComparatorSizes, seed: int, say: Callable[[str], None]) -> list[Found]:
    """References up to `reference_users`; these, which take long, once."""
    sharing = SharingConfig()
    found = []
    for users in sizes.users:
        say(f"comparator: {users} users, {users * sizes.tokens:,} tokens of {sizes.width}")
        tokens_MD = draw_tokens(users * sizes.tokens, sizes.width, seed)
        find = partial(leaders_of, tokens_MD, np.ones(len(tokens_MD)), sharing)
        seconds = tuple(_timed(find) for _ in range(REPEATS))
        tracemalloc.start()
        merged = _merged(find())
        peak_mib = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        reference_s = reference = None
        if users <= sizes.reference_users:
            reference_s = _timed(partial(all_similarities, tokens_MD, sharing))
            reference = _merged(find(pivots=1))
        found.append(Found(users, len(tokens_MD), seconds, peak_mib, merged, reference_s, reference))
    return found


def _lines(found: Found, sizes: ComparatorSizes) -> list[Line]:
    name, what = f"comparator.{found.users}", f"comparator, {found.users:,} users x {sizes.tokens} tokens"
    pairs_s = None if found.all_pairs_s is None else [found.all_pairs_s]
    aimed = (found.users, sizes.tokens) == AIMED
    lines = [
        cost_line(
            name,
            what,
            "s",
            found.seconds,
            "" if pairs_s is None else ALL_PAIRS,
            pairs_s,
            Target("value", 1.0, "at most") if aimed else None,
            paired=False,
        ),
        cost_line(f"{name}.memory", f"{what}: memory", "MiB", [found.peak_mib]),
    ]
    if found.all_pairs_merged:
        share = 100 * found.merged / found.all_pairs_merged
        all_of_it = Spread.of([100.0])
        lines.append(
            Line(
                f"{name}.found",
                f"{what}: merges found",
                "%",
                Spread.of([share]),
                "every token against every leader",
                all_of_it,
                Spread.of([share / 100]),
            )
        )
    return lines


def _growth(few: Found, many: Found) -> Line:
    """Exponents of time over tokens, between two numbers of users."""

    def exponent(a: float | None, b: float | None) -> float:
        assert a
        assert b
        return math.log(b / a) / math.log(many.tokens / few.tokens)

    return cost_line(
        "comparator.growth",
        f"comparator, {few.users:,} to {many.users:,} users: time grows with tokens to the power of",
        "",
        [exponent(min(few.seconds), min(many.seconds))],
        ALL_PAIRS,
        [exponent(few.all_pairs_s, many.all_pairs_s)],
        Target("ratio", 1.0, "at least"),
    )


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


def _merged(leader_M: np.ndarray) -> int:
    return int((leader_M != np.arange(len(leader_M))).sum())


def _timed(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s
