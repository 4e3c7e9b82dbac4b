"""`m4sc experiment erasures`: accuracy against the share of tokens that were lost, nothing being sent again.

Tokens are lost each by itself (Bernoulli) or in bursts (Gilbert-Elliott). Every row is a run through the
processes; what is finished is not run again. The share is that of the journal, not the one that was set.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from launch.bundles.rerun import DataSets, RunSummary, kept_or_run, run_summary
from launch.errors import LaunchError
from launch.experiments.paired import paired_difference
from launch.figures import Figure, figure_of
from launch.measurement.order import Order, check_own_keys, make_order
from launch.measurement.rows import primary_figure, write_table
from launch.run_files import RunFiles, read_run
from shared.fault_config import LOSSES
from shared.ledger_rows import LedgerRow

TABLE_FILE, PLOT_FILE = "erasures.csv", "erasures.png"
KINDS: Final = ("bernoulli", "burst")
OWN_KEYS: Final = (
    "channel.faults",
    "channel.tokens_per_frame",
    "retransmission.max_attempts",
    "sharing.enabled",
    "control",
)
"""What the rows set of a configuration."""
Kind = Literal["none", "bernoulli", "burst"]
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loss:
    """One row: which share of the frames, of `frame` tokens each, is lost.

    Gilbert-Elliott: in its bad state, of `burst` tokens on average, all is lost, in its good one nothing.
    """

    kind: Kind
    percent: float
    burst: float
    frame: int

    @property
    def name(self) -> str:
        """As a folder's name."""
        return f"{self.kind}{f'{self.burst:g}' if self.kind == 'burst' else ''}-{self.percent:g}"

    @property
    def faults(self) -> list[dict[str, Any]]:
        share = self.percent / 100
        if self.kind == "none":
            return []
        if self.kind == "bernoulli":
            return [{"fault": "loss", "probability": share}]
        turn_good = self.frame / self.burst
        return [{"fault": "burst_loss", "turn_bad": turn_good * share / (1 - share), "turn_good": turn_good}]

    @property
    def overrides(self) -> tuple[str, ...]:
        """The run without losses has the control beside it: every image token erased."""
        values = (
            json.dumps(self.faults),
            self.frame,
            1,
            "false",
            "image_erased" if self.kind == "none" else "none",
        )
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))


class Row(BaseModel):
    """`erased_share`: of the tokens that were sent, those that did not arrive.

    `against_whole`: the paired difference in points to the run without losses, on the same questions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    kind: Kind
    loss_percent: float
    seed: int
    attempted: int
    answered: int
    degraded: int
    sent_tokens: int
    erased_tokens: int
    erased_share: float
    metric: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    against_whole: float | None = None
    against_whole_low: float | None = None
    against_whole_high: float | None = None
    control: float | None = None
    command: str


def losses(kinds: Iterable[str], percents: Iterable[float], burst: float, frame: int) -> list[Loss]:
    """Rows by kind; one without losses, first, for all kinds. Raises `LaunchError`."""
    if burst < frame:
        raise LaunchError(f"--burst {burst:g}: expected at least --frame ({frame}) tokens")
    found: dict[Loss, None] = {}
    chosen = list(percents)
    if 0 in chosen:
        found[Loss("none", 0.0, burst, frame)] = None
    for word in kinds:
        if word not in KINDS:
            raise LaunchError(f"--kinds {word}: expected {' or '.join(KINDS)}, with a comma between")
        kind: Kind = "bernoulli" if word == "bernoulli" else "burst"
        for percent in chosen:
            loss = Loss(kind, percent, burst, frame)
            if kind == "burst" and percent and loss.faults[0]["turn_bad"] > 1:
                raise LaunchError(f"--loss {percent:g}: bursts of {burst:g} tokens cannot lose so many")
            if percent:
                found[loss] = None
    return list(found)


def order(
    config: str, overrides: Sequence[str], places: Sequence[Loss], sets: DataSets, out: Path
) -> Order[Loss]:
    """Raises `LaunchError`, `ConfigError` or `BundleError`, one line, for what cannot be done."""
    check_own_keys(overrides, OWN_KEYS)
    return make_order(config, overrides, places, sets, out)


def measure(wanted: Order[Loss], say: Callable[[str], None], run: RunSummary = run_summary) -> list[Row]:
    """All rows in order; the table is written after each. Raises what a run raises."""
    from shared.semantic.manifest import read_manifest

    fingerprint = read_manifest(wanted.bundle).fingerprint
    whole = next((place for place in wanted.places if place.kind == "none"), None)
    rows: list[Row] = []
    for number, place in enumerate(wanted.places, 1):
        say(f"[{number}/{len(wanted.places)}] {place.name}")
        folder = wanted.folder_of(place)
        summary = kept_or_run(wanted.config_of(place), folder, fingerprint, run)
        row = _row_of(place, summary, read_run(folder), wanted.command_of(place))
        if whole is not None and place != whole:
            found = paired_difference(folder, wanted.folder_of(whole), row.seed)
            update = {"": found.points, "_low": found.low, "_high": found.high}
            row = row.model_copy(update={f"against_whole{end}": value for end, value in update.items()})
        rows.append(row)
        write_table(wanted.out / TABLE_FILE, [row.model_dump() for row in rows])
    return rows


def _row_of(place: Loss, summary: dict[str, Any], files: RunFiles, command: str) -> Row:
    """Raises `LaunchError` where an answer is not marked as what it is."""
    sent, erased = check_marks(place.name, files.events)
    check_losses(place.name, files.rows, erased, place.frame)
    metric, figure = primary_figure(summary)
    requests = summary["requests"]
    return Row(
        row=place.name,
        kind=place.kind,
        loss_percent=place.percent,
        seed=summary["seed"],
        **{name: int(requests[name]) for name in ("attempted", "answered", "degraded")},
        sent_tokens=sent,
        erased_tokens=erased,
        erased_share=erased / max(1, sent),
        metric=metric,
        accuracy=figure.value,
        accuracy_low=figure.low,
        accuracy_high=figure.high,
        n=figure.n,
        control=_control(summary, metric, place),
        command=command,
    )


def _control(summary: dict[str, Any], metric: str, place: Loss) -> float | None:
    if place.kind != "none":
        return None
    task, *below = metric.removeprefix("accuracy.").split(".")
    found: Figure = figure_of(summary, ".".join(["accuracy", task, "control", *below]))
    return found.value


def check_marks(name: str, events: Sequence[Event]) -> tuple[int, int]:
    """Tokens sent and erased, of all requests that were decoded.

    Raises `LaunchError` unless an answer is `degraded` exactly where tokens were erased, by the UE's own
    count and by the digests: what the base station sent and what the UE used then differ.
    """
    planned: dict[str, Event] = {}
    used: dict[str, Event] = {}
    for event in events:
        if event.get("event") == "tokens":
            planned[event["request_id"]] = event
        elif event.get("event") == "ue_tokens":
            used[event["request_id"]] = event
        elif event.get("event") in ("ok", "degraded"):
            _check_mark(name, event, planned.get(event["request_id"]), used.get(event["request_id"]))
    return sum(e["sent_tokens"] for e in used.values()), sum(e["erased_tokens"] for e in used.values())


def _check_mark(name: str, end: Event, planned: Event | None, used: Event | None) -> None:
    place = f"{name}: {end['request_id']} ended as {end['event']}"
    if planned is None or used is None:
        raise LaunchError(f"{place}, and the journal has no tokens of it")
    differ = planned["digest"] != used["digest"]
    signs = (differ, bool(used["erased_tokens"]), bool(end["erased_tokens"]), end["event"] == "degraded")
    if len(set(signs)) > 1:
        raise LaunchError(
            f"{place} with {used['erased_tokens']} erased tokens ({end['erased_tokens']} by its answer), and "
            f"its digests {'differ' if differ else 'are equal'}"
        )


def check_losses(name: str, rows: Iterable[LedgerRow], erased: int, frame: int) -> None:
    """Frames that the emulator lost, of 1 to `frame` tokens, are the erased tokens. Raises `LaunchError`."""
    dropped = ("ce-ue", "ce", "dropped")
    at_ce = [row for row in rows if (row.key.hop, row.key.end, row.key.outcome) == dropped]
    lost = sum(row.values.frames for row in at_ce if row.key.reason in LOSSES)
    if not lost <= erased <= lost * frame:
        raise LaunchError(
            f"{name}: {erased} tokens are erased, the ledger has {lost} lost frames of {frame}; a machine so "
            "busy that UEs give up too early needs a larger --set retransmission.nack_after_ms"
        )
