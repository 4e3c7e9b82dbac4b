"""Slopes from made-up samples whose slope is known."""

import math

import pytest

from launch.resources.use import MB, MOST_S, Sample, resource_use, slope_per_min


def sample(t_s: float, pss_mb: float, pid: int = 7, user: int = 0, fds: int = 10) -> Sample:
    return Sample(t_s, "ue", user, 0, pid, round(pss_mb * MB), fds, 3, t_s / 10)


def test_a_leak_has_its_slope_though_the_start_is_steep() -> None:
    """Warm in 40 s, then 0.3 MB a minute with a ripple."""
    own = [sample(t, min(t, 40.0) + 0.005 * t + 0.1 * math.sin(t)) for t in range(200)]
    (line,) = resource_use(own)
    assert line["pss_slope_mb_per_min"] == pytest.approx(0.3, abs=0.02)
    assert (line["pss_mb_first"], line["samples"]) == (0.0, 200)
    assert line["pss_mb_last"] == pytest.approx(own[-1].pss_bytes / MB, abs=0.01)
    assert line["pss_mb_most"] == pytest.approx(max(s.pss_bytes for s in own) / MB, abs=0.01)


def test_of_a_long_run_the_last_minutes_count() -> None:
    times_s = [float(t) for t in range(3_000)]
    values = [5.0 * max(0.0, t - (3_000 - MOST_S)) for t in times_s]
    assert slope_per_min(times_s, values) == pytest.approx(300.0, rel=0.01)


def test_only_the_last_process_of_a_role_counts() -> None:
    before = [sample(t, 500.0 - t, pid=7, fds=99) for t in range(20)]
    after = [sample(20.0 + t, 50.0, pid=8, fds=10 + t) for t in range(20)]
    other = [sample(t, 20.0, user=1) for t in range(3)]
    one, two = resource_use([*before, *after, *other])
    assert (one["user"], one["samples"], one["pss_slope_mb_per_min"]) == (0, 20, 0.0)
    assert (one["fds_first"], one["fds_last"], one["pss_mb_most"]) == (10, 29, 50.0)
    assert (two["user"], two["pss_slope_mb_per_min"]) == (1, None), "too few samples for a slope"


def test_nothing_gives_nothing() -> None:
    assert resource_use([]) == []
    assert slope_per_min([], []) is None
