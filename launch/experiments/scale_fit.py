"""What was measured of some numbers of users, said of many more.

processor of a role    cores = N * idle + Q * request        (N users, Q requests a second of all of them)
memory of UEs          N * pss_ue
hosts of UEs           the more of: cores / (USED * cores of a host), memory / (USED * memory of a host)
one base station, one emulator: 1 core each, of which USED may be taken
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from launch.errors import LaunchError
from launch.experiments.scale import ROLES, Row

USED: Final = 0.7
"""Of cores and memory, what may be planned with: the rest is for arrivals that are not even."""


class Cost(BaseModel):
    """Of a role, all its processes together: cores for each user who only listens, CPU ms of each request."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    role: str
    idle_cores_per_user: float
    request_ms: float


class Fit(BaseModel):
    """Least squares over the rows; `start` and `pss_all` are straight lines in the number of users."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    costs: list[Cost]
    start_s_fixed: float
    start_s_per_user: float
    pss_mib_fixed: float
    pss_mib_per_user: float


class Needs(BaseModel):
    """Of so many users, each with so many requests a minute. Cores as if one process could use many."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    users: int
    requests_per_s: float
    ue_cores: float
    ue_memory_gib: float
    ue_hosts: int
    bs_cores: float
    ce_cores: float


def fit(rows: Sequence[Row]) -> Fit:
    """Raises `LaunchError` where there are fewer than two numbers of users."""
    busy = [row for row in rows if not row.quiet]
    if len(busy) < 2:
        raise LaunchError("--users: expected at least two numbers, to tell what each user adds")
    users = [row.users for row in busy]
    start = np.polyfit(users, [row.roles_s for row in busy], 1)
    memory = np.polyfit(users, [row.pss_all_mib for row in busy], 1)
    return Fit(
        costs=[_cost(role, rows) for role in ROLES],
        start_s_fixed=round(float(start[1]), 3),
        start_s_per_user=round(float(start[0]), 4),
        pss_mib_fixed=round(float(memory[1]), 1),
        pss_mib_per_user=round(float(memory[0]), 2),
    )


def _cost(role: str, rows: Sequence[Row]) -> Cost:
    """cpu = idle * (users x seconds) + request * requests, neither below zero."""
    a_N2 = np.array([[row.users * row.lasted_s, row.answered] for row in rows], dtype=np.float64)
    cpu_N = np.array([getattr(row, f"cpu_{role}_s") for row in rows], dtype=np.float64)
    idle, request = np.linalg.lstsq(a_N2, cpu_N, rcond=None)[0]
    if idle < 0:
        idle, request = 0.0, float(a_N2[:, 1] @ cpu_N / (a_N2[:, 1] @ a_N2[:, 1]))
    if request < 0:
        idle, request = float(a_N2[:, 0] @ cpu_N / (a_N2[:, 0] @ a_N2[:, 0])), 0.0
    return Cost(
        role=role, idle_cores_per_user=float(f"{idle:.3g}"), request_ms=round(1e3 * float(request), 2)
    )


def needs(found: Fit, users: int, per_minute: float, cores: float, memory_gib: float) -> Needs:
    """On hosts with so many cores and so much memory."""
    requests_per_s = users * per_minute / 60
    used = {
        cost.role: users * cost.idle_cores_per_user + requests_per_s * cost.request_ms / 1e3
        for cost in found.costs
    }
    gib = users * found.pss_mib_per_user / 1024
    hosts = max(used["ue"] / (USED * cores), gib / (USED * memory_gib))
    return Needs(
        users=users,
        requests_per_s=round(requests_per_s, 3),
        ue_cores=round(used["ue"], 2),
        ue_memory_gib=round(gib, 1),
        ue_hosts=math.ceil(hosts),
        bs_cores=round(used["bs"], 2),
        ce_cores=round(used["ce"], 2),
    )


def most_users(found: Fit, role: str, per_minute: float) -> int:
    """How many users one process of a role serves, with `USED` of a core."""
    (cost,) = (cost for cost in found.costs if cost.role == role)
    each = cost.idle_cores_per_user + per_minute / 60 * cost.request_ms / 1e3
    return int(USED / each) if each > 0 else 0
