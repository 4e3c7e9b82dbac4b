"""A share with its interval, as `summary.json` has it under accuracy."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from launch.errors import LaunchError


class Figure(NamedTuple):
    """A share in [0, 1], its 95% interval, and how many requests it was measured on."""

    value: float
    low: float
    high: float
    n: int


def figure_of(summary: Mapping[str, Any], metric: str) -> Figure:
    """What stands at `metric` ('accuracy.vqa.macro') in a summary. Raises `LaunchError`."""
    node: Any = summary
    for part in metric.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or not {"accuracy", "interval95", "total"} <= node.keys():
        raise LaunchError(f"metric {metric}: the run's summary has no such figure")
    low, high = node["interval95"]
    return Figure(float(node["accuracy"]), float(low), float(high), int(node["total"]))
