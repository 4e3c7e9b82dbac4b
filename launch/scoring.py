"""How right the answers are, and how right they would be without the picture.

VQA and classification: the normalised answer equals the expected one. Captions: F1 over objects, and
`correct` counts those that are right in full. `total` is every question that has an expected answer and
whose request came to an end: one that failed or expired is not a right answer. `macro` is the mean over
exist, count and query (the four queried attributes pooled), of zero-hop questions where there are several
families; `families` is the mean over the families. Controls are the same replica's answers to the same
question with every image token erased; `gain` is the paired difference.
"""

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from launch.caption_score import caption_f1
from launch.intervals import Interval, percentile_interval, resampled_shares, wilson
from launch.questions import each_question

MACRO_KINDS = ("exist", "count", "query")
ZERO_HOP = "zero_hop"
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Scored:
    """One judged question. `cluster` is what its answer may depend on beside itself: the image."""

    task: str
    kind: str
    family: str
    cluster: str
    score: float
    control: float | None

    @property
    def pooled_kind(self) -> str:
        return "query" if self.kind.startswith("query") else self.kind


def normalise(text: str) -> str:
    """Lower case, single spaces, no full stop."""
    return " ".join(text.lower().split()).strip(string.punctuation + " ")


def score(task: str, answer: str, expected: str) -> float:
    """1 right, 0 wrong, between for captions."""
    if task == "caption":
        return caption_f1(answer, expected)
    return float(normalise(answer) == normalise(expected))


def judge(workload: Iterable[Mapping[str, Any]], ends: Mapping[int, Mapping[str, Any]]) -> list[Scored]:
    """Score the workload's questions against the terminal events of their requests, by workload index.

    Questions without an expected answer, and those without a terminal event, are left out.
    """
    return [scored for _, scored in judged_questions(workload, ends)]


def judged_questions(
    workload: Iterable[Mapping[str, Any]], ends: Mapping[int, Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Scored]]:
    """The same, each beside its entry with the question's own text and sample id (`each_question`)."""
    for entry, end in each_question(workload, ends):
        expected = entry.get("expected")
        if not end or expected is None:
            continue
        text, control = end["text"], end["control_text"]
        yield (
            entry,
            Scored(
                task=entry["task"],
                kind=entry.get("kind") or entry["task"],
                family=entry.get("family") or "",
                cluster=entry.get("image") or entry.get("sample_id") or str(entry["index"]),
                score=0.0 if text is None else score(entry["task"], text, expected),
                control=None if control is None else score(entry["task"], control, expected),
            ),
        )


def accuracy(judged: Sequence[Scored], seed: int) -> dict[str, dict[str, Any]]:
    """By task: correct, total, accuracy, interval95, by_kind, by_family; macro, families, control, gain."""
    return {
        task: _task([item for item in judged if item.task == task], seed)
        for task in sorted({item.task for item in judged})
    }


def _task(items: Sequence[Scored], seed: int) -> dict[str, Any]:
    result = _summary(items, lambda item: item.score, seed)
    paired = [item for item in items if item.control is not None]
    if paired:
        result["control"] = _summary(paired, _control, seed)
        result["gain"] = _gain(paired, seed)
    return result


def _control(item: Scored) -> float:
    return item.control or 0.0


def _summary(items: Sequence[Scored], value: Callable[[Scored], float], seed: int) -> dict[str, Any]:
    result = _share(items, value, seed)
    result["by_kind"] = _by(items, value, lambda item: item.kind, seed)
    result["by_family"] = _by(items, value, lambda item: item.family, seed)
    several = len({item.family for item in items}) > 1
    plain = [i for i in items if i.pooled_kind in MACRO_KINDS and (not several or i.family == ZERO_HOP)]
    if any(item.kind.startswith("query_") for item in items):
        pooled = [item for item in items if item.pooled_kind == "query"]
        found = result["by_kind"] | {"query": _share(pooled, value, seed)}
        order = [*(kind for kind in MACRO_KINDS if kind in found), *sorted(found.keys() - {*MACRO_KINDS})]
        result["by_kind"] = {kind: found[kind] for kind in order}
    if {item.pooled_kind for item in plain}.issuperset(MACRO_KINDS):
        result["macro"] = _mean_over(lambda item: item.pooled_kind, plain, value, seed)
    if several:
        result["families"] = _mean_over(lambda item: item.family, items, value, seed)
    return result


def _by(
    items: Sequence[Scored], value: Callable[[Scored], float], name: Callable[[Scored], str], seed: int
) -> dict[str, Any]:
    return {
        group: _share([item for item in items if name(item) == group], value, seed)
        for group in sorted({name(item) for item in items})
    }


def _share(items: Sequence[Scored], value: Callable[[Scored], float], seed: int) -> dict[str, Any]:
    """correct (right in full), total, mean score and its interval."""
    values = [value(item) for item in items]
    samples = resampled_shares(values, [i.cluster for i in items], [""] * len(items), seed)
    interval = None if samples is None else percentile_interval(samples[:, 0])
    mean = sum(values) / len(values) if values else 0.0
    return {
        "correct": sum(v >= 1.0 for v in values),
        "total": len(values),
        "accuracy": round(mean, _DIGITS),
        "interval95": _rounded(interval or wilson(sum(values), len(values))),
        "interval_by": "bootstrap over images" if interval else "Wilson",
    }


def _mean_over(
    name: Callable[[Scored], str], items: Sequence[Scored], value: Callable[[Scored], float], seed: int
) -> dict[str, Any]:
    """Mean of the means of what `name` tells apart."""
    values = [value(item) for item in items]
    names = [name(item) for item in items]
    means = [
        np.mean([v for v, k in zip(values, names, strict=True) if k == one]) for one in sorted(set(names))
    ]
    samples = resampled_shares(values, [i.cluster for i in items], names, seed)
    interval = None if samples is None else percentile_interval(samples.mean(axis=1))
    mean = float(np.mean(means))
    return {
        "accuracy": round(mean, _DIGITS),
        "total": len(values),
        "interval95": _rounded(interval or wilson(mean * len(values), len(values))),
        "interval_by": "bootstrap over images" if interval else "Wilson",
    }


def _gain(items: Sequence[Scored], seed: int) -> dict[str, Any]:
    """Accuracy minus control, on the same questions: of the macro average where there is one."""
    several = len({item.family for item in items}) > 1
    macro = not several and {item.pooled_kind for item in items}.issuperset(MACRO_KINDS)
    used = [item for item in items if item.pooled_kind in MACRO_KINDS] if macro else list(items)
    kinds = [item.pooled_kind if macro else "" for item in used]
    differences = [item.score - _control(item) for item in used]
    names = sorted(set(kinds))
    points = float(
        np.mean([np.mean([d for d, k in zip(differences, kinds, strict=True) if k == n]) for n in names])
    )
    samples = resampled_shares(differences, [item.cluster for item in used], kinds, seed)
    interval = None if samples is None else percentile_interval(samples.mean(axis=1))
    result: dict[str, Any] = {"points": round(100 * points, 2), "of": "macro" if macro else "accuracy"}
    if interval is not None:
        result["interval95"] = [round(100 * bound, 2) for bound in interval]
    return result


def _rounded(interval: Interval) -> list[float]:
    return [round(bound, _DIGITS) for bound in interval]
