"""Is a bundle what it says it is? Its files and digests, its tensors, and the numbers on its card."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.bundles.card import Card, CardEntry, CardError, read_card
from launch.bundles.rerun import DataSets, NoData, RunFailed, RunSummary, run_config, run_summary
from launch.errors import LaunchError
from launch.figures import Figure, figure_of
from shared.config_file import ConfigError
from shared.semantic.bundle import Bundle, BundleError
from shared.semantic.manifest import check_all

WITHIN, OUTSIDE, NOT_RUN = "within interval", "outside interval", "not run"
_ROUNDING = 5e-5
"""Summaries give four digits."""


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What became of one number. `status` begins with one of: within, outside, skipped, failed, not run."""

    entry: CardEntry
    status: str
    found: Figure | None = None

    @property
    def wrong(self) -> bool:
        return self.status.startswith(("outside", "failed"))


@dataclass(frozen=True, slots=True)
class Report:
    """All that was looked at. `problem` is the first thing wrong with the files or the card, or empty."""

    bundle: str
    fingerprint: str
    bytes: int
    files: int
    problem: str
    results: tuple[EntryResult, ...]

    @property
    def ok(self) -> bool:
        return not self.problem and not any(result.wrong for result in self.results)

    def to_json(self) -> dict[str, Any]:
        """As `m4sc bundle verify --json` prints it."""
        return {
            "bundle": self.bundle,
            "ok": self.ok,
            "fingerprint": self.fingerprint,
            "files": self.files,
            "bytes": self.bytes,
            "problem": self.problem,
            "entries": [
                {
                    **result.entry.model_dump(mode="json", exclude={"value", "low", "high", "n"}),
                    "recorded": _recorded(result.entry),
                    "found": None if result.found is None else result.found._asdict(),
                    "status": result.status,
                }
                for result in self.results
            ],
        }


def _recorded(entry: CardEntry) -> dict[str, float | int]:
    return {"value": entry.value, "low": entry.low, "high": entry.high, "n": entry.n}


def verify(
    folder: Path, sets: DataSets, quick: bool, keep: Path | None = None, run: RunSummary = run_summary
) -> Report:
    """Check the files, then run again what gave the card's numbers; `quick` leaves the runs out.

    `keep` is where the run folders go (None: nowhere). Raises `BundleError` when there is no folder, and
    `Interrupted`.
    """
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such folder")
    try:
        bundle = Bundle.load(folder)
        check_all(folder, bundle.manifest)
        card = read_card(folder)
    except (BundleError, CardError) as error:
        return Report(str(folder), "", 0, 0, str(error), ())
    manifest = bundle.manifest
    results = () if card is None else _entries(folder, card, sets, quick, keep, run)
    problem = ""
    if card is not None and card.fingerprint != bundle.fingerprint:
        problem = f"card.json: fingerprint: measured on {card.fingerprint[:16]}..., these are other weights"
    return Report(
        str(folder), bundle.fingerprint, manifest.bytes, len(manifest.files), problem, tuple(results)
    )


def _entries(
    folder: Path, card: Card, sets: DataSets, quick: bool, keep: Path | None, run: RunSummary
) -> list[EntryResult]:
    if quick:
        return [EntryResult(entry, f"{NOT_RUN} (--quick)") for entry in card.entries]
    results: dict[str, EntryResult] = {}
    with tempfile.TemporaryDirectory(prefix="m4sc-verify-") as scratch:
        for number, key in enumerate(dict.fromkeys(entry.run for entry in card.entries)):
            wanted = [entry for entry in card.entries if entry.run == key]
            run_dir = (keep or Path(scratch)) / f"{number:02}-{key[0]}"
            try:
                summary = run(run_config(folder, *key, sets), run_dir)
            except NoData as error:
                results |= {e.name: EntryResult(e, f"skipped: needs {error}") for e in wanted}
            except (RunFailed, ConfigError) as error:
                results |= {e.name: EntryResult(e, f"failed: {error}") for e in wanted}
            else:
                results |= {e.name: _compare(e, summary) for e in wanted}
    return [results[entry.name] for entry in card.entries]


def _compare(entry: CardEntry, summary: dict[str, Any]) -> EntryResult:
    try:
        found = figure_of(summary, entry.metric)
    except LaunchError as error:
        return EntryResult(entry, f"failed: {error}")
    if found.n != entry.n:
        return EntryResult(entry, f"failed: measured on {found.n} requests, the card says {entry.n}", found)
    inside = entry.low - _ROUNDING <= found.value <= entry.high + _ROUNDING
    return EntryResult(entry, WITHIN if inside else OUTSIDE, found)
