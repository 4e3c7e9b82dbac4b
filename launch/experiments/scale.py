"""`m4sc experiment scale`: what a run with more users takes in time, memory and processor.

Every number of users is a run through the processes, in which all ask `PER_USER` questions as soon as may be.
One more, with the most users, where all ask once and then only listen, tells what listening costs.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from launch.bundles.rerun import DataSets, RunSummary, kept_or_run, run_summary
from launch.errors import LaunchError
from launch.measurement.order import Order, check_own_keys, make_order
from launch.measurement.rows import write_table
from launch.resources.use import Sample, read_resources
from launch.run_files import RunFiles, read_run

TABLE_FILE, PLOT_FILE, JSON_FILE = "scale.csv", "scale.png", "scale.json"
OWN_KEYS: Final = ("users", "workload.requests", "workload.requests_per_s", "resources.every_s")
"""What the rows set of a configuration."""
PER_USER: Final = 4
QUIET_S: Final = 45.0
"""In the quiet run, from the one round until one more user asks, with whom it ends."""
SAMPLE_EVERY_S: Final = 5
MIB: Final = 2**20
ROLES: Final = ("ue", "bs", "ce")
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """One run."""

    users: int
    quiet: bool = False

    @property
    def name(self) -> str:
        """As a folder's name."""
        return f"users{self.users}{'-quiet' if self.quiet else ''}"

    @property
    def overrides(self) -> tuple[str, ...]:
        rate = f"{self.users / QUIET_S:g}" if self.quiet else "null"
        requests = self.users + 1 if self.quiet else PER_USER * self.users
        values = (self.users, requests, rate, SAMPLE_EVERY_S)
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))


class Row(BaseModel):
    """Memory is PSS at the end, in MiB: `pss_ue_mib` is a UE's mean, `pss_all_mib` of all processes but Ray's
    own and the forkservers.

    `start_s`: from the supervisor's begin until all roles are ready; `roles_s`: of it, base station and UEs.
    CPU seconds are those of `lasted_s`, from the workload's begin on, all UEs together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    users: int
    quiet: bool
    attempted: int
    answered: int
    lost: int
    start_s: float
    roles_s: float
    first_answer_s: float
    p50_ms: float
    p99_ms: float
    lasted_s: float
    answered_per_s: float
    pss_ue_mib: float
    pss_bs_mib: float
    pss_ce_mib: float
    pss_all_mib: float
    cpu_ue_s: float
    cpu_bs_s: float
    cpu_ce_s: float
    threads_ue: int
    fds_ue: int
    fds_bs: int
    fds_ce: int
    command: str


def sizes(users: Sequence[int]) -> list[Size]:
    """By number of users, and the largest again, quiet."""
    counts = sorted(set(users))
    return [*map(Size, counts), Size(counts[-1], quiet=True)]


def order(
    config: str, overrides: Sequence[str], places: Sequence[Size], sets: DataSets, out: Path
) -> Order[Size]:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_own_keys(overrides, OWN_KEYS)
    return make_order(config, overrides, places, sets, out)


def measure(wanted: Order[Size], say: Callable[[str], None], run: RunSummary = run_summary) -> list[Row]:
    """All rows in order; the table is written after each. Raises what a run raises."""
    from shared.semantic.manifest import read_manifest

    fingerprint = read_manifest(wanted.bundle).fingerprint
    rows: list[Row] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        folder = wanted.folder_of(place)
        summary = kept_or_run(wanted.config_of(place), folder, fingerprint, run)
        samples = read_resources(folder)
        rows.append(row_of(place, summary, read_run(folder), samples, wanted.command_of(place)))
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
    return rows


def row_of(
    place: Size, summary: Mapping[str, Any], files: RunFiles, samples: Sequence[Sample], command: str
) -> Row:
    """Raises `LaunchError` where the run was not sampled at its begin and its end."""
    begin, end = begin_and_end(place.name, files.events, samples)
    spent = dict.fromkeys(ROLES, 0.0)
    held: dict[str, list[Sample]] = defaultdict(list)
    for pid, sample in end.items():
        held[sample.role].append(sample)
        if sample.role in spent and pid in begin:
            spent[sample.role] += sample.cpu_s - begin[pid].cpu_s
    if len(held["ue"]) != place.users or not held["bs"] or not held["ce"]:
        raise LaunchError(f"{place.name}: the last sample has {len(held['ue'])} of {place.users} UEs")
    bs, ce, ue = held["bs"][0], held["ce"][0], held["ue"]
    lasted_s = bs.t_s - begin[bs.pid].t_s
    requests, times_s = summary["requests"], summary["launch"]["times_s"]
    return Row(
        row=place.name,
        users=place.users,
        quiet=place.quiet,
        attempted=requests["attempted"],
        answered=requests["answered"],
        lost=requests["lost"],
        start_s=times_s["ready"],
        roles_s=round(times_s["ready"] - times_s["emulator"], 3),
        first_answer_s=summary["launch_to_first_answer_s"],
        p50_ms=summary["latency_ms"]["p50"],
        p99_ms=summary["latency_ms"]["p99"],
        lasted_s=round(lasted_s, 3),
        answered_per_s=round(requests["answered"] / lasted_s, 3),
        pss_ue_mib=round(sum(s.pss_bytes for s in ue) / len(ue) / MIB, 2),
        pss_bs_mib=round(bs.pss_bytes / MIB, 2),
        pss_ce_mib=round(ce.pss_bytes / MIB, 2),
        pss_all_mib=round(sum(s.pss_bytes for s in end.values()) / MIB, 1),
        **{f"cpu_{role}_s": round(spent[role], 2) for role in ROLES},
        threads_ue=max(s.threads for s in ue),
        fds_ue=max(s.fds for s in ue),
        fds_bs=bs.fds,
        fds_ce=ce.fds,
        command=command,
    )


def begin_and_end(
    name: str, events: Sequence[Event], samples: Sequence[Sample]
) -> tuple[dict[int, Sample], dict[int, Sample]]:
    """By pid: the first sample after all were ready, and the last. Raises `LaunchError`."""
    ready_s = max((e["t"] for e in events if e.get("what") == "ready"), default=None)
    times_s = sorted({s.t_s for s in samples if ready_s is not None and s.t_s >= ready_s})
    if len(times_s) < 2:
        raise LaunchError(f"{name}: expected a sample when the workload began and one when it was done")
    begin_s, end_s = times_s[0], times_s[-1]
    return {s.pid: s for s in samples if s.t_s == begin_s}, {s.pid: s for s in samples if s.t_s == end_s}


def write_json(path: Path, outcome: Mapping[str, Any]) -> None:
    """Whole, or as it was."""
    partial = path.with_name(f"{path.name}.tmp")
    partial.write_text(json.dumps(outcome, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)
