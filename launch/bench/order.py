"""What a person asked `m4sc bench` for."""

from collections.abc import Callable
from dataclasses import dataclass

from launch.bench.testbed import Runs


@dataclass(frozen=True, slots=True)
class ComparatorSizes:
    """Numbers of users, their tokens; up to `reference_users` all pairs are compared too."""

    users: tuple[int, ...] = (64, 256, 1_024)
    tokens: int = 64
    width: int = 256
    reference_users: int = 1_024


@dataclass(frozen=True, slots=True)
class Order:
    """`rounds`: how often a measurement and its references are repeated, in turn."""

    runs: Runs
    seed: int = 0
    rounds: int = 9
    say: Callable[[str], None] = lambda line: None
    comparator: ComparatorSizes = ComparatorSizes()
