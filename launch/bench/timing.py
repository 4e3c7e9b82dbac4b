"""Timing a piece of work and its references in turn, so that what else the machine does meets them alike."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from launch.bench.line import Line, Spread, Target

Clock = Callable[[], float]
Work = Callable[[], object]
LEAST_S: Final = 0.02
"""Work that is quicker is repeated until a measurement takes as long, so that clocks are fine enough."""


def interleaved(
    works: Mapping[str, Work], rounds: int, clock: Clock = time.process_time, least_s: float = LEAST_S
) -> dict[str, list[float]]:
    """Seconds a call of each work, `rounds` of them. A round measures every work once, one after the other.

    The default clock is the processor time of this process: that of others on the machine does not count.
    Every work is called once before, to warm up, and says so how often a measurement calls it.
    """
    calls = {name: _calls(work, clock, least_s) for name, work in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            began_s = clock()
            for _ in range(calls[name]):
                work()
            seconds[name].append((clock() - began_s) / calls[name])
    return seconds


def _calls(work: Work, clock: Clock, least_s: float) -> int:
    work()
    began_s = clock()
    work()
    took_s = max(clock() - began_s, 1e-7)
    return max(1, math.ceil(least_s / took_s))


def rate_line(
    name: str,
    figure: str,
    unit: str,
    amount: float,
    seconds: Sequence[float],
    reference: str = "",
    reference_s: Sequence[float] | None = None,
    reference_amount: float | None = None,
    target: Target | None = None,
    note: str = "",
) -> Line:
    """`amount` of something in so many seconds; the reference does `reference_amount` (None: as much)."""
    rates = [amount / s for s in seconds]
    if reference_s is None:
        return Line(name, figure, unit, Spread.of(rates), target=target, note=note)
    its_rates = [(amount if reference_amount is None else reference_amount) / s for s in reference_s]
    ratios = [own / its for own, its in zip(rates, its_rates, strict=True)]
    return Line(
        name,
        figure,
        unit,
        Spread.of(rates),
        reference,
        Spread.of(its_rates),
        Spread.of(ratios),
        target,
        note,
    )


def cost_line(
    name: str,
    figure: str,
    unit: str,
    costs: Sequence[float],
    reference: str = "",
    reference_costs: Sequence[float] | None = None,
    target: Target | None = None,
    paired: bool = True,
) -> Line:
    """Of what less is better: seconds, bytes. `paired`: as many repeats of either, made in turn."""
    if reference_costs is None:
        return Line(name, figure, unit, Spread.of(costs), target=target)
    own, its = Spread.of(costs), Spread.of(reference_costs)
    if paired:
        ratio = Spread.of([b / a for a, b in zip(costs, reference_costs, strict=True)])
    else:
        ratio = Spread(*[its.median / own.median] * 3)
    return Line(name, figure, unit, own, reference, its, ratio, target)
