"""Charts as ECharts options: plain data. Series differ by shape or pattern as well as by colour."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from launch.dashboard.scene import Scene
from launch.observe.requests import RequestView
from launch.report.palette import CLASS_COLOURS

MAX_USERS: Final = 32
_BYTES: Final = (
    ("public", "public_bytes_share"),
    ("private", "private_bytes"),
    ("side", "side_bytes"),
    ("pilots", "pilot_bytes"),
    ("control", "control_bytes"),
    ("feedback", "feedback_bytes"),
)
_USES: Final = (
    ("public", "public_uses_share"),
    ("private", "private_uses"),
    ("side", "side_uses"),
    ("pilots", "pilot_uses"),
)
_SHAPES: Final = ("circle", "rect", "triangle", "diamond", "pin", "arrow")
_PALETTE: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#333333", "#999999")
_STILL: Final[dict[str, Any]] = {"animation": False, "aria": {"enabled": True, "decal": {"show": True}}}
"""Nothing moves by itself; patterns and a description for those who need them."""
_GRID: Final = {"left": 66, "right": 18, "top": 62, "bottom": 42}


def bytes_chart(scene: Scene) -> dict[str, Any]:
    """Wire bytes per user, stacked by class."""
    return _per_user(scene, "wire bytes per user", _BYTES)


def uses_chart(scene: Scene) -> dict[str, Any]:
    """Channel uses per user, stacked by class."""
    return _per_user(scene, "channel uses per user", _USES)


def progress_chart(scene: Scene) -> dict[str, Any]:
    """Channel uses sent so far, over time."""
    state = scene.state
    points = [[round(state.since_zero(t), 3), uses] for t, uses in state.uses]
    line = {"name": "channel uses", "type": "line", "step": "end", "symbol": "none", "data": points}
    return _over_time("channel uses of the downlink, in all", [line])


def snr_chart(scene: Scene) -> dict[str, Any]:
    """What frames were received with, by user; and the average of the channel, as a line."""
    state = scene.state
    series: list[dict[str, Any]] = []
    for user in sorted({point.user for point in state.air})[:8]:
        own = [point for point in state.air if point.user == user]
        colour = _PALETTE[user % len(_PALETTE)]
        heard = [[round(state.since_zero(p.t_s), 3), p.received_db] for p in own if p.received_db is not None]
        average = [[round(state.since_zero(p.t_s), 3), p.snr_db] for p in own if p.snr_db is not None]
        series.append(
            {
                "name": f"user {user}", "type": "scatter", "symbol": _SHAPES[user % len(_SHAPES)],
                "symbolSize": 7, "itemStyle": {"color": colour}, "data": heard,
            }
        )  # fmt: skip
        series.append(
            {
                "name": f"user {user}", "type": "line", "symbol": "none", "data": average,
                "lineStyle": {"color": colour, "width": 1, "type": "dashed"}, "itemStyle": {"color": colour},
            }
        )  # fmt: skip
    return _over_time("received SNR of each request in dB (dashed: average)", series, {"scale": True})


def latency_chart(scene: Scene) -> dict[str, Any]:
    """Every ended request: when, how long it took, how it ended."""
    shapes = {"answered": ("circle", "#0072B2"), "degraded": ("triangle", "#E69F00")}
    series = []
    for state in dict.fromkeys(ending.state for ending in scene.state.endings):
        shape, colour = shapes.get(state, ("rect", "#D55E00"))
        points = [
            [round(scene.state.since_zero(e.t_s), 3), round(e.latency_ms, 1)]
            for e in scene.state.endings
            if e.state == state and e.latency_ms is not None
        ]
        series.append(
            {"name": state, "type": "scatter", "symbol": shape, "symbolSize": 7,
             "itemStyle": {"color": colour}, "data": points}
        )  # fmt: skip
    return _over_time("latency of each request in ms", series, {"type": "log", "min": 1})


def constellation_chart(view: RequestView | None) -> dict[str, Any]:
    """Some received symbols of a request, before and after equalisation; axes alike in both directions."""
    air: Mapping[str, Any] = {} if view is None or view.air is None else view.air
    series: list[dict[str, Any]] = [
        {"name": name, "type": "scatter", "symbol": shape, "symbolSize": 8,
         "itemStyle": {"color": colour}, "data": [list(point) for point in air.get(key, ())]}
        for name, key, shape, colour in (
            ("received", "received", "rect", "#E69F00"),
            ("equalised", "equalised", "circle", "#0072B2"),
        )
    ]  # fmt: skip
    reach = max((abs(v) for s in series for point in s["data"] for v in point), default=1.0)
    edge = math.ceil(2.1 * reach) / 2
    axis = {"type": "value", "min": -edge, "max": edge, "splitNumber": 4}
    return {
        **_titled("symbols of one frame (I, Q)"),
        "series": series,
        "xAxis": {**axis, **_below("I")},
        "yAxis": {**axis, "name": "Q"},
    }


def _below(name: str) -> dict[str, Any]:
    return {"name": name, "nameLocation": "middle", "nameGap": 26}


def _per_user(scene: Scene, title: str, columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    users = scene.watch.numbers["users"][:MAX_USERS]
    series = [
        {
            "name": name,
            "type": "bar",
            "stack": "all",
            "itemStyle": {"color": CLASS_COLOURS[name]},
            "data": [user[key] for user in users],
        }
        for name, key in columns
        if any(user[key] for user in users)
    ]
    return {
        **_titled(title),
        "series": series,
        "xAxis": {"type": "category", "data": [str(user["user"]) for user in users], **_below("user")},
        "yAxis": {"type": "value"},
    }


def _over_time(
    title: str, series: list[dict[str, Any]], axis: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        **_titled(title),
        "series": series,
        "xAxis": {"type": "value", **_below("s after the first request")},
        "yAxis": {"type": "value"} | (axis or {}),
    }


def _titled(title: str) -> dict[str, Any]:
    return {
        **_STILL, "grid": _GRID, "tooltip": {}, "legend": {"top": 26, "left": 0, "type": "scroll"},
        "title": {"text": title, "left": 0, "top": 2, "textStyle": {"fontSize": 13, "fontWeight": "normal"}},
    }  # fmt: skip
