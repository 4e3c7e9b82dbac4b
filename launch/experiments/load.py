"""`m4sc experiment load`: how many requests a second are served in time, and what becomes of more.

Arrivals are a Poisson process by seed, whatever is still open (an open loop), and latency counts from when a
request was to come, so waiting cannot hide. Every rate is a run through the processes; what is finished is
not run again.

    steady    the lowest rate, then twice it and so on, until one is too high; then between (`search`)
    overload  one run: a rate that is served, a far higher one, and the first again
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from launch.bundles.rerun import DataSets, RunSummary, is_accounted, kept_or_run, run_accepted
from launch.errors import LaunchError
from launch.experiments.load_plan import OWN_KEYS, Kind, Plan, Stage, bounds
from launch.measurement.order import Order, check_own_keys, make_order
from launch.measurement.rows import write_table
from launch.run_files import RunFiles, read_run
from launch.summary import PERCENTILES, ends_by_index
from launch.workload.arrivals import part_s
from shared.config import RunConfig

TABLE_FILE, PLOT_FILE, JSON_FILE = "load.csv", "load.png", "load.json"
IN_TIME: Final = 2.0
"""A rate is served in time while its p99 is below so many times the lowest rate's."""
IN_A_ROW: Final = 10
"""Requests served in time, one after another, by which a testbed has recovered."""


class Row(BaseModel):
    """Requests that came at one rate. Latency, in ms, is that of answers, from the intended arrival.

    `p99_ratio` is p99 over that of the lowest rate. `lost` is the whole run's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    kind: Kind
    rate_per_s: float
    lasted_s: float
    attempted: int
    answered: int
    busy: int
    other: int
    lost: int
    busy_share: float
    answered_per_s: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p99_ratio: float | None
    command: str

    @property
    def in_time(self) -> bool:
        """Everything was answered, and soon enough."""
        whole = self.answered == self.attempted
        return whole and self.p99_ratio is not None and self.p99_ratio < IN_TIME


class Outcome(BaseModel):
    """`highest_per_s`: the highest rate tried that was served in time, all lower ones being so.

    `recovered_after_s`: after the overload ended, until requests were served in time again; None: never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    unloaded_p99_ms: float
    highest_per_s: float
    too_high_per_s: float | None
    recovered_after_s: float | None
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Request:
    """What became of one: `busy` if it was refused so; `latency_ms` None where there is no answer."""

    arrival_s: float
    latency_ms: float | None
    busy: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome, and every request of the overload's run."""

    outcome: Outcome
    over: Stage
    came: Sequence[Request]


def order(config: str, overrides: Sequence[str], plan: Plan, sets: DataSets, out: Path) -> Order[Stage]:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_own_keys(overrides, OWN_KEYS)
    return make_order(config, overrides, [Stage((plan.first,), plan.requests)], sets, out)


def measure(
    wanted: Order[Stage], plan: Plan, say: Callable[[str], None], run: RunSummary | None = None
) -> Measured:
    """All rates, then the overload; files are written after each run. Raises what a run raises."""
    from shared.semantic.manifest import read_manifest

    fingerprint = read_manifest(wanted.bundle).fingerprint

    def rows_of(stage: Stage, unloaded_ms: float | None) -> tuple[list[Row], list[Request]]:
        say(f"{stage.requests} requests at {', '.join(f'{r:g}' for r in stage.rates_per_s)} a second")
        config, folder = wanted.config_of(stage), wanted.folder_of(stage)
        summary = kept_or_run(config, folder, fingerprint, run or run_under_load, is_accounted)
        came = requests_of(read_run(folder))
        return stage_rows(stage, came, summary, unloaded_ms, wanted.command_of(stage)), came

    rows: list[Row] = []
    served: dict[float, bool] = {}
    while (rate := plan.next_rate(served)) is not None:
        unloaded_ms = rows[0].p99_ms if rows else None
        (row,), _ = rows_of(Stage((rate,), plan.requests), unloaded_ms)
        if not rows and not row.in_time:
            raise LaunchError(f"{rate:g} requests a second are too many already: expected a lower first rate")
        rows = sorted([*rows, row], key=lambda row: row.rate_per_s)
        served[rate] = row.in_time
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
    low, high = bounds(served)
    unloaded_ms = rows[0].p99_ms or 0.0
    over = plan.overload_stage(low, high or low)
    parts, came = rows_of(over, unloaded_ms)
    rows += parts
    outcome = Outcome(
        unloaded_p99_ms=unloaded_ms,
        highest_per_s=low,
        too_high_per_s=high,
        recovered_after_s=recovered_after_s(over, came, IN_TIME * unloaded_ms),
        rows=rows,
    )
    write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
    partial = wanted.out / f"{JSON_FILE}.tmp"
    partial.write_text(outcome.model_dump_json(indent=2) + "\n", encoding="utf-8")
    os.replace(partial, wanted.out / JSON_FILE)
    return Measured(outcome, over, came)


def run_under_load(config: RunConfig, folder: Path) -> dict[str, Any]:
    """As `bundles.rerun.run_summary`, and requests may be refused."""
    return run_accepted(config, folder, is_accounted)


def requests_of(files: RunFiles) -> list[Request]:
    """In order of arrival."""
    ends = ends_by_index(files.events)
    found = []
    for entry in files.workload:
        end = ends.get(entry["index"], {})
        answered = end.get("event") in ("ok", "degraded")
        busy = end.get("event") == "refused" and end.get("reason") == "busy"
        found.append(Request(entry["arrival_s"], float(end["latency_ms"]) if answered else None, busy))
    return sorted(found, key=lambda request: request.arrival_s)


def stage_rows(
    stage: Stage,
    came: Sequence[Request],
    summary: Mapping[str, Any],
    unloaded_ms: float | None,
    command: str,
) -> list[Row]:
    """A row for each kind of part. `unloaded_ms` None: this is the lowest rate, its p99 is the measure."""
    length_s = part_s(stage.rates_per_s, stage.requests)
    rows = []
    for kind in dict.fromkeys(stage.kinds):
        parts = [place for place, of in enumerate(stage.kinds) if of == kind]
        begin_s, end_s = parts[0] * length_s, (parts[-1] + 1) * length_s
        last = parts[-1] == len(stage.kinds) - 1  # it takes what comes after the end, too
        mine = [r for r in came if begin_s <= r.arrival_s and (last or r.arrival_s < end_s)]
        latencies = [r.latency_ms for r in mine if r.latency_ms is not None]
        lasted_s = max(end_s, mine[-1].arrival_s if mine else 0.0) - begin_s if last else end_s - begin_s
        values = np.percentile(latencies, PERCENTILES).round(1).tolist() if latencies else [None] * 3
        busy = sum(r.busy for r in mine)
        measure_ms = values[2] if unloaded_ms is None else unloaded_ms
        rows.append(
            Row(
                row=stage.name,
                kind=kind,
                rate_per_s=stage.rates_per_s[parts[0]],
                lasted_s=round(lasted_s, 3),
                attempted=len(mine),
                answered=len(latencies),
                busy=busy,
                other=len(mine) - len(latencies) - busy,
                lost=summary["requests"]["lost"],
                busy_share=busy / max(1, len(mine)),
                answered_per_s=round(len(latencies) / lasted_s, 3),
                p50_ms=values[0],
                p95_ms=values[1],
                p99_ms=values[2],
                p99_ratio=None if values[2] is None else values[2] / measure_ms,
                command=command,
            )
        )
    return rows


def recovered_after_s(stage: Stage, came: Sequence[Request], bound_ms: float) -> float | None:
    """From the end of the overload to the first of `IN_A_ROW` requests in a row that were served in time."""
    fell_s = part_s(stage.rates_per_s, stage.requests) * (stage.kinds.index("over") + 1)
    after = [r for r in came if r.arrival_s >= fell_s]
    well = [r.latency_ms is not None and r.latency_ms < bound_ms for r in after]
    for place in range(len(after) - IN_A_ROW + 1):
        if all(well[place : place + IN_A_ROW]):
            return 0.0 if place == 0 else round(after[place].arrival_s - fell_s, 3)
    return None
