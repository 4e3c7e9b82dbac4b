"""One scenario with many seeds: a run each, in a folder of its own; what is finished is not run again."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from launch.cluster_check import checked
from launch.folder_lock import hold
from launch.one_run import run_to_end
from launch.order_file import ORDER_FILE, claim
from launch.runfolder import clear_run_folder, summary_of
from shared.config import RunConfig

RunOnce = Callable[[RunConfig, Path], dict[str, Any]]
COUNTS = (
    "attempted", "answered", "degraded", "failed", "expired", "refused", "lost", "duplicated", "misdelivered",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What a person asked for."""

    config: str
    scenario: str
    overrides: tuple[str, ...]
    out: Path


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One run. `slowest`: the fault after which the next whole answer took longest, and how long."""

    seed: int
    verdict: str
    exit_code: int
    counts: dict[str, int]
    faults: int
    slowest: str
    slowest_s: float | None
    finding: str
    folder: str

    def as_row(self) -> dict[str, Any]:
        """Flat, for a table."""
        row = asdict(self)
        return {key: value for key, value in row.items() if key != "counts"} | self.counts


def run_all(
    order: SweepOrder, runs: Mapping[int, RunConfig], say: Callable[[str], None], run: RunOnce = run_to_end
) -> list[SweepLine]:
    """A line a seed, in order. Raises `Interrupted`, and what `m4sc run` raises for a person's input."""
    asked: dict[str, object] = {
        "config": order.config,
        "scenario": order.scenario,
        "set": " ".join(order.overrides),
    }
    claim(order.out, asked, resume=(order.out / ORDER_FILE).exists())
    hold(order.out)
    lines: list[SweepLine] = []
    for number, (seed, planned) in enumerate(runs.items(), 1):
        config = checked(planned)
        folder = order.out / f"seed-{seed:04d}"
        summary = _kept(folder, config)
        if summary is None:
            clear_run_folder(folder)
            summary = run(config, folder)
        line = line_of(seed, summary, folder)
        say(f"[{number}/{len(runs)}] seed {seed}: {line.verdict}{_slowest(line)}")
        lines.append(line)
    return lines


def line_of(seed: int, summary: Mapping[str, Any], folder: Path) -> SweepLine:
    """What the table says of a run."""
    timed = [fault for fault in summary["faults"] if fault["answer_after_s"] is not None]
    slowest = max(timed, key=lambda fault: float(fault["answer_after_s"]), default=None)
    return SweepLine(
        seed=seed,
        verdict=summary["verdict"],
        exit_code=int(summary["exit_code"]),
        counts={name: int(summary["requests"][name]) for name in COUNTS},
        faults=len(summary["faults"]),
        slowest="" if slowest is None else " on ".join(filter(None, (slowest["fault"], slowest["on"]))),
        slowest_s=None if slowest is None else float(slowest["answer_after_s"]),
        finding=next(iter(summary["findings"]), ""),
        folder=folder.name,
    )


def _kept(folder: Path, config: RunConfig) -> dict[str, Any] | None:
    """The summary of this very run, if it was finished."""
    summary = summary_of(folder, config)
    return None if summary is None or summary.get("launch", {}).get("cut_short") else summary


def _slowest(line: SweepLine) -> str:
    return (
        "" if line.slowest_s is None else f", whole answers again {line.slowest_s:.2f} s after {line.slowest}"
    )
