"""Received symbols on the complex plane."""

from collections.abc import Mapping
from typing import Any

from launch.report.palette import INK
from launch.report.plots import as_svg, new_figure


def constellation(air: Mapping[str, Any]) -> str:
    """Of one frame, before and after equalisation: two panels with one scale, the unit circle dotted.

    `air`: the journal's event `ue_air`.
    """
    figure = new_figure(9.4, 4.0)
    panels = figure.subplots(1, 2)
    points = [*air["received"], *air["equalised"]]
    reach = 1.15 * max((abs(value) for point in points for value in point), default=1.0)
    names = (("received", "received", "s", "#E69F00"), ("equalised", "equalised", "o", "#0072B2"))
    for axes, (key, title, marker, colour) in zip(panels, names, strict=True):
        axes.plot(
            [i for i, _ in air[key]], [q for _, q in air[key]],
            linestyle="none", marker=marker, color=colour, markersize=5, markeredgewidth=0, alpha=0.8,
        )  # fmt: skip
        axes.add_patch(_unit_circle())
        axes.set_xlim(-reach, reach)
        axes.set_ylim(-reach, reach)
        axes.set_aspect("equal")
        axes.set_xlabel("I", color=INK)
        axes.set_ylabel("Q", color=INK)
        axes.set_title(f"{title}, request {air['request_id']}", loc="left")
    return as_svg(figure, grid="both")


def _unit_circle() -> Any:
    from matplotlib.patches import Circle

    return Circle((0.0, 0.0), 1.0, fill=False, linestyle=":", edgecolor="#777777")
