"""Two runs side by side: what they were, what they cost, how right they were; from their folders alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launch.errors import LaunchError
from launch.experiments.paired import Difference, paired_difference
from launch.runfolder import read_config, read_summary

BYTES: Final = (
    "public_bytes", "private_bytes", "side_bytes", "pilot_bytes", "control_bytes", "feedback_bytes",
)  # fmt: skip
USES: Final = ("public_uses", "private_uses", "side_uses", "pilot_uses")
_NOT_SETTINGS: Final = ("name",)
_MOST_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    run_dir: Path
    summary: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.run_dir.name


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of both; `ratio` is the second over the first, where that means something."""

    name: str
    a: float | None
    b: float | None
    unit: str = ""

    @property
    def ratio(self) -> float | None:
        return self.b / self.a if self.a and self.b is not None else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`paired`: what the second gained in accuracy over the first, on the same questions; else why not."""

    a: Side
    b: Side
    costs: tuple[Line, ...]
    differing: tuple[tuple[str, str, str], ...]
    paired: Difference | str


def compare(a: Path, b: Path) -> Comparison:
    """Raises `ConfigError` or `RunFolderError`, one line, when one is no finished run."""
    one, other = _side(a), _side(b)
    paired: Difference | str
    try:
        paired = paired_difference(b, a, int(one.summary["seed"]))
    except LaunchError as error:
        paired = str(error)
    return Comparison(one, other, tuple(_costs(one, other)), tuple(_differing(one, other)), paired)


def _side(run_dir: Path) -> Side:
    config = read_config(run_dir).model_dump(mode="json")
    return Side(run_dir, read_summary(run_dir), config)


def _costs(a: Side, b: Side) -> Iterator[Line]:
    one, other = a.summary, b.summary
    for count in ("attempted", "answered", "degraded", "failed", "expired", "refused"):
        yield Line(f"requests {count}", one["requests"][count], other["requests"][count])
    for column in ("wire_bytes", *BYTES, "retransmitted_bytes"):
        yield Line(_words(column), one["totals"].get(column), other["totals"].get(column), "B")
    for column in ("channel_uses", *USES):
        yield Line(_words(column), one["totals"].get(column), other["totals"].get(column))
    for column in ("wire_bytes", "channel_uses"):
        a_request, b_request = _per_request(one, column), _per_request(other, column)
        yield Line(f"{_words(column)} a request", a_request, b_request)
    for percentile in ("p50", "p95", "p99"):
        a_ms, b_ms = one["latency_ms"][percentile], other["latency_ms"][percentile]
        yield Line(f"latency {percentile}", a_ms, b_ms, "ms")
    dropped = [sum(line["frames"] for line in side["drops"]) for side in (one, other)]
    yield Line("messages dropped", *dropped)


def _per_request(summary: Mapping[str, Any], column: str) -> float | None:
    attempted = summary["requests"]["attempted"]
    return float(summary["totals"][column]) / attempted if attempted else None


def _words(column: str) -> str:
    return column.replace("_", " ")


def _differing(a: Side, b: Side) -> Iterator[tuple[str, str, str]]:
    """Keys of the configurations whose values are not the same, dotted, in order."""
    one, other = dict(_flat(a.config)), dict(_flat(b.config))
    for key in sorted({*one, *other}):
        if key not in _NOT_SETTINGS and one.get(key) != other.get(key):
            yield key, _said(one.get(key)), _said(other.get(key))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


def _said(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"


def accuracies(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Task, and the accuracy in each with its 95% interval and number."""
    found = []
    one, other = comparison.a.summary["accuracy"], comparison.b.summary["accuracy"]
    for task in dict.fromkeys((*one, *other)):
        for part in ("", "macro", "families"):
            sides = [_accuracy(side.get(task, {}), part) for side in (one, other)]
            if any(sides):
                found.append((f"{task} {part}".strip(), sides[0] or "–", sides[1] or "–"))
    return found


def _accuracy(line: Mapping[str, Any], part: str) -> str:
    line = line.get(part, {}) if part else line
    if "accuracy" not in line:
        return ""
    low, high = line["interval95"]
    return f"{100 * line['accuracy']:.1f}% ({100 * low:.1f} to {100 * high:.1f}) of {line['total']}"


def paired_words(paired: Difference | str) -> str:
    """One sentence."""
    if isinstance(paired, str):
        return f"not paired: {paired}"
    interval = "" if paired.low is None else f" ({paired.low:+.1f} to {paired.high:+.1f})"
    return f"the second is {paired.points:+.1f} points{interval} on the same {paired.n} questions, in pairs"


def as_document(comparison: Comparison) -> dict[str, Any]:
    """For machines."""
    paired = comparison.paired
    return {
        "a": str(comparison.a.run_dir),
        "b": str(comparison.b.run_dir),
        "verdict": [comparison.a.summary["verdict"], comparison.b.summary["verdict"]],
        "differing": [{"key": key, "a": a, "b": b} for key, a, b in comparison.differing],
        "costs": [
            {"name": line.name, "a": line.a, "b": line.b, "ratio": line.ratio} for line in comparison.costs
        ],
        "accuracy": [{"of": of, "a": a, "b": b} for of, a, b in accuracies(comparison)],
        "paired": paired
        if isinstance(paired, str)
        else {"points": paired.points, "low": paired.low, "high": paired.high, "n": paired.n},
    }
