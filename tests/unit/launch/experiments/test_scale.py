"""Scale: what is read off a run's samples, and what is said of more users than were measured."""

from pathlib import Path
from typing import Any

import pytest

from launch.errors import LaunchError
from launch.experiments.scale import MIB, PER_USER, Row, Size, begin_and_end, row_of, sizes
from launch.experiments.scale_fit import USED, fit, most_users, needs
from launch.experiments.scale_view import costs_of, draw, needs_of, said, table_of
from launch.resources.use import Sample
from launch.run_files import RunFiles

IDLE, REQUEST_S = {"ue": 0.004, "bs": 0.0005, "ce": 0.002}, {"ue": 0.1, "bs": 0.2, "ce": 0.01}


def sample(t_s: float, role: str, user: int, pid: int, mib: float, cpu_s: float) -> Sample:
    return Sample(t_s, role, user, 0, pid, int(mib * MIB), 20, 4, cpu_s)


def made_row(place: Size) -> Row:
    """Of a testbed in which every user and every request costs what it says above."""
    requests = place.users + 1 if place.quiet else PER_USER * place.users
    lasts_s = 45.0 if place.quiet else requests / 8
    pids = {"bs": 1, "ce": 2, **{f"ue-{user}": 10 + user for user in range(place.users)}}
    samples = []
    for t_s, done in ((90.0, -1.0), (100.0, 0.0), (100.0 + lasts_s, 1.0)):
        for name, pid in pids.items():
            role, each = name[:2], 1 if name[:2] == "ue" else place.users
            cpu_s = 5.0 + done * (
                IDLE[role] * each * lasts_s + REQUEST_S[role] * requests * each / place.users
            )
            user = pid - 10 if role == "ue" else -1
            samples.append(sample(t_s, role, user, pid, 40.0 if role == "ue" else 60.0, cpu_s))
    summary = {
        "requests": {"attempted": requests, "answered": requests, "lost": 0},
        "latency_ms": {"p50": 10.0, "p99": 20.0},
        "launch_to_first_answer_s": 9.0,
        "launch": {"times_s": {"emulator": 4.0, "ready": 6.0 + place.users / 10}},
    }
    ready = [{"event": "process", "what": "ready", "t": 99.0}]
    return row_of(place, summary, RunFiles(events=ready), samples, "m4sc run")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [made_row(place) for place in sizes([8, 2, 32])]


def test_a_row_is_what_was_spent_from_the_workloads_begin_to_its_end(rows: list[Row]) -> None:
    assert [row.row for row in rows] == ["users2", "users8", "users32", "users32-quiet"]
    two, quiet = rows[0], rows[-1]
    assert (two.lasted_s, two.answered_per_s) == (1.0, 8.0)
    assert two.cpu_ue_s == pytest.approx(2 * 0.004 + 8 * 0.1, abs=0.006)
    assert two.cpu_ce_s == pytest.approx(2 * 0.002 + 8 * 0.01, abs=0.006)
    assert (two.pss_ue_mib, two.pss_all_mib) == (40.0, 2 * 40 + 2 * 60)
    assert (two.start_s, two.roles_s) == (6.2, 2.2)
    assert (quiet.attempted, quiet.lasted_s) == (33, 45.0)


def test_what_each_user_and_each_request_costs_is_found_again(rows: list[Row]) -> None:
    found = fit(rows)
    for cost in found.costs:
        assert cost.idle_cores_per_user == pytest.approx(IDLE[cost.role], rel=0.05)
        assert cost.request_ms == pytest.approx(1e3 * REQUEST_S[cost.role], rel=0.05)
    assert found.pss_mib_per_user == pytest.approx(40.0)
    assert found.start_s_per_user == pytest.approx(0.1)

    line = needs(found, 1_000, per_minute=6.0, cores=4.5, memory_gib=16.0)
    assert line.requests_per_s == 100.0
    assert line.ue_cores == pytest.approx(1_000 * 0.004 + 100 * 0.1, rel=0.05)
    assert line.ue_memory_gib == pytest.approx(39.1, abs=0.1)
    assert line.ue_hosts == 5, "by processor; memory alone would need 4"
    assert needs(found, 1_000, 0.0, 4.0, 2.0).ue_hosts == 28, "by memory"
    assert most_users(found, "ce", 6.0) == pytest.approx(USED / (0.002 + 0.1 * 0.01), rel=0.05)


def test_no_cost_is_below_zero(rows: list[Row]) -> None:
    for role, change in (
        ("cpu_ce_s", {"quiet": 0.0, "busy": 1.0}),
        ("cpu_ce_s", {"quiet": 1.0, "busy": 0.0}),
    ):
        changed = [row.model_copy(update={role: change["quiet" if row.quiet else "busy"]}) for row in rows]
        cost = next(cost for cost in fit(changed).costs if cost.role == "ce")
        assert min(cost.idle_cores_per_user, cost.request_ms) >= 0


def test_what_cannot_be_read_or_fitted_is_one_line(rows: list[Row]) -> None:
    with pytest.raises(LaunchError, match="expected at least two numbers"):
        fit(rows[-2:])
    ready: list[dict[str, Any]] = [{"what": "ready", "t": 5.0}]
    with pytest.raises(LaunchError, match="users2: expected a sample when the workload began"):
        begin_and_end("users2", ready, [sample(4.0, "bs", -1, 1, 1, 1), sample(6.0, "bs", -1, 1, 1, 1)])
    both = [sample(t, role, -1, pid, 1, 1) for t in (6.0, 7.0) for role, pid in (("bs", 1), ("ce", 2))]
    with pytest.raises(LaunchError, match="the last sample has 0 of 2 UEs"):
        row_of(Size(2), {}, RunFiles(events=ready), both, "")


def test_tables_and_plot(rows: list[Row], tmp_path: Path) -> None:
    found = fit(rows)
    lines = [needs(found, users, 1.0, 2.0, 24.0) for users in (1_000, 100_000)]
    assert table_of(rows).row_count == len(rows)
    assert costs_of(found).row_count == 3
    assert needs_of(lines, 2.0, 24.0).row_count == 2
    assert "MiB a user" in said(found, {"bs": 1, "ce": 2}, 1.0)[1]
    draw(rows, found, tmp_path / "scale.png")
    assert (tmp_path / "scale.png").stat().st_size > 10_000
