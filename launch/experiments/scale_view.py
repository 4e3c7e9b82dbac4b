"""Users against start-up, memory and processor: tables on a terminal, and a plot."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from rich.table import Table

from launch.experiments.scale import Row
from launch.experiments.scale_fit import Fit, Needs

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#666666"


def draw(rows: Sequence[Row], found: Fit, path: Path) -> None:
    """Start-up and memory against users, with the straight lines that are taken for more."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
    busy = [row for row in rows if not row.quiet]
    users = np.array([row.users for row in busy])
    left.plot(users, [row.start_s for row in busy], "o", color=_BLUE, label="until all roles are ready")
    left.plot(users, [row.roles_s for row in busy], "s", color=_ORANGE, label="of it: base station and UEs")
    left.plot(users, found.start_s_fixed + found.start_s_per_user * users, "-", color=_ORANGE, alpha=0.5)
    left.set(xlabel="users", ylabel="s", ylim=(0, None))
    right.plot(users, [row.pss_all_mib for row in busy], "o", color=_BLUE, label="all processes")
    right.plot(users, found.pss_mib_fixed + found.pss_mib_per_user * users, "-", color=_BLUE, alpha=0.5)
    right.plot(users, [row.pss_ue_mib for row in busy], "s", color=_GREY, label="one UE")
    right.set(xlabel="users", ylabel="PSS, MiB", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8.5, frameon=False)
    figure.tight_layout()
    partial = path.with_suffix(".tmp.png")
    figure.savefig(partial, dpi=100)
    plt.close(figure)
    os.replace(partial, path)


def table_of(rows: Sequence[Row]) -> Table:
    table = Table(title="Users on one machine", title_justify="left")
    names = ("users", "answered", "lost", "ready s", "roles s", "p50 ms", "answers a second")
    for name in (
        *names,
        "PSS a UE",
        "PSS in all",
        "CPU s: UEs",
        "base station",
        "emulator",
        "files: emulator",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            f"{row.users}{' (quiet)' if row.quiet else ''}",
            f"{row.answered}/{row.attempted}",
            f"{row.lost}",
            f"{row.start_s:.1f}",
            f"{row.roles_s:.1f}",
            f"{row.p50_ms:,.0f}",
            f"{row.answered_per_s:.2f}",
            f"{row.pss_ue_mib:.1f}",
            f"{row.pss_all_mib:,.0f}",
            f"{row.cpu_ue_s:.1f}",
            f"{row.cpu_bs_s:.1f}",
            f"{row.cpu_ce_s:.2f}",
            f"{row.fds_ce}",
        )
    return table


def costs_of(found: Fit) -> Table:
    table = Table(title="What each costs", title_justify="left")
    for name in ("role", "CPU ms a request", "cores for 1,000 users who only listen"):
        table.add_column(name, justify="right")
    for cost in found.costs:
        table.add_row(cost.role, f"{cost.request_ms:.2f}", f"{1_000 * cost.idle_cores_per_user:.2f}")
    return table


def needs_of(lines: Sequence[Needs], cores: float, memory_gib: float) -> Table:
    table = Table(
        title=f"Extrapolated, on hosts of {cores:g} cores and {memory_gib:g} GiB", title_justify="left"
    )
    names = (
        "users",
        "requests a second",
        "UEs: cores",
        "GiB",
        "hosts",
        "base station: cores",
        "emulator: cores",
    )
    for name in names:
        table.add_column(name, justify="right")
    for line in lines:
        table.add_row(
            f"{line.users:,}",
            f"{line.requests_per_s:,.1f}",
            f"{line.ue_cores:,.1f}",
            f"{line.ue_memory_gib:,.1f}",
            f"{line.ue_hosts:,}",
            f"{line.bs_cores:,.1f}",
            f"{line.ce_cores:,.2f}",
        )
    return table


def said(found: Fit, most: Mapping[str, int], per_minute: float) -> list[str]:
    """Lines under the tables; `most`: users that one base station and one emulator serve."""
    return [
        f"start-up  {found.start_s_fixed:.1f} s + {found.start_s_per_user:.3f} s a user (base station, UEs)",
        f"memory    {found.pss_mib_fixed:,.0f} MiB + {found.pss_mib_per_user:.1f} MiB a user",
        f"limits    with {per_minute:g} requests a minute of each: {most['bs']:,} users a base station, "
        f"{most['ce']:,} an emulator",
    ]
