"""`resources.csv` read and summed up: what every process used last, and how fast its memory grew."""

import csv
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from launch.resources.sampler import COLUMNS, RESOURCES_FILE

MB: Final = 1e6
MOST_S: Final = 300.0
"""The slope is that of the last half of a process's samples, of at most so many seconds."""
LEAST_SAMPLES: Final = 5


class Sample(NamedTuple):
    """One row, named as its columns."""

    t_s: float
    role: str
    user: int
    incarnation: int
    pid: int
    pss_bytes: int
    fds: int
    threads: int
    cpu_s: float

    @property
    def name(self) -> str:
        """'bs', 'ce', 'ue-3', 'agent', 'supervisor'."""
        return f"{self.role}-{self.user}" if self.role == "ue" else self.role


def read_resources(run_dir: Path) -> list[Sample]:
    """Whole rows in file order; [] where the run was not sampled, or the file is none of these."""
    path = run_dir / RESOURCES_FILE
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = csv.reader(file)
        if tuple(next(lines, ())) != COLUMNS:
            return []
        return [sample for line in lines if (sample := _sample(line)) is not None]


def resource_use(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """A line for each role's last process: PSS in MB (10^6 bytes), descriptors, threads, CPU seconds.

    `pss_slope_mb_per_min` is None where there are too few samples for one.
    """
    last: dict[tuple[str, int], list[Sample]] = {}
    for sample in samples:
        own = last.setdefault((sample.role, sample.user), [])
        if own and own[-1].pid != sample.pid:
            own.clear()
        own.append(sample)
    return [_line(own) for own in last.values()]


def slope_per_min(times_s: Sequence[float], values: Sequence[float]) -> float | None:
    """Of the least-squares line through the last half of the samples, at most `MOST_S` of it."""
    if not times_s:
        return None
    begin_s = max(times_s[0] + (times_s[-1] - times_s[0]) / 2, times_s[-1] - MOST_S)
    kept = [(t, v) for t, v in zip(times_s, values, strict=True) if t >= begin_s]
    if len(kept) < LEAST_SAMPLES or any(b[0] <= a[0] for a, b in pairwise(kept)):
        return None
    t_N, v_N = np.asarray(kept, dtype=np.float64).T
    t_N = t_N - t_N.mean()
    return float(60.0 * (t_N @ v_N) / (t_N @ t_N))


def _line(own: Sequence[Sample]) -> dict[str, Any]:
    first, end = own[0], own[-1]
    slope = slope_per_min([s.t_s for s in own], [s.pss_bytes / MB for s in own])
    return {
        "role": end.role,
        "user": end.user,
        "incarnation": end.incarnation,
        "samples": len(own),
        "pss_mb_first": round(first.pss_bytes / MB, 2),
        "pss_mb_last": round(end.pss_bytes / MB, 2),
        "pss_mb_most": round(max(s.pss_bytes for s in own) / MB, 2),
        "pss_slope_mb_per_min": None if slope is None else round(slope, 3),
        "fds_first": first.fds,
        "fds_last": end.fds,
        "threads_first": first.threads,
        "threads_last": end.threads,
        "cpu_s": end.cpu_s,
    }


def _sample(line: Iterable[str]) -> Sample | None:
    """None for a row that a sudden end cut short."""
    cells = tuple(line)
    if len(cells) != len(COLUMNS):
        return None
    t_s, role, *whole, cpu_s = cells
    try:
        user, incarnation, pid, pss, fds, threads = map(int, whole)
        return Sample(float(t_s), role, user, incarnation, pid, pss, fds, threads, float(cpu_s))
    except ValueError:
        return None
