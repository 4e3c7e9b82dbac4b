"""What was sent, and what of it went no further: the ledger's side of a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.report import plots
from launch.report.markup import section, table
from launch.summary_table import BYTE_COLUMNS


def bytes_table(numbers: Mapping[str, Any]) -> str:
    """Bytes and channel uses of every user, of nobody, and in total; of a summary or the ledger alone."""
    headings = ["user", "SNR dB", *(heading for heading, _, _ in BYTE_COLUMNS)]
    rows = [
        [str(u["user"]), f"{u['snr_db']:g}", *(f"{u[key]:,}" for _, key, _ in BYTE_COLUMNS)]
        for u in numbers["users"]
    ]
    for name, line in (("nobody", numbers["unattributed"]), ("total", numbers["totals"])):
        rows.append([name, "", *(f"{line[key]:,}" for _, _, key in BYTE_COLUMNS)])
    return table(headings, rows)


def drops_table(drops: Sequence[Mapping[str, Any]]) -> str:
    """What went no further; there is something."""
    headings = [key.replace("_", " ") for key in drops[0]]
    rows = [[f"{v:,}" if isinstance(v, int) else str(v) for v in line.values()] for line in drops]
    return table(headings, rows, text_columns=5)


def traffic(summary: Mapping[str, Any]) -> str:
    """Who was sent what."""
    note = (
        "<p>Every message counted once, by who originated it. <i>public</i> is each user's share of what was "
        "sent once to several; <i>nobody</i> is the session between base station and emulator. The classes "
        "add up to wire bytes, which include headers and ZMTP framing; <i>resent</i> is part of them.</p>"
    )
    shown = (
        f"<p>The first {plots.MAX_USERS} users are drawn.</p>"
        if len(summary["users"]) > plots.MAX_USERS
        else ""
    )
    figure = f"<figure>{plots.bytes_and_uses(summary)}</figure>"
    tokens = summary.get("tokens", {})
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in tokens.items())
    return section(
        "Bytes and channel uses per user", figure + shown + bytes_table(summary) + note + f"<p>{words}</p>"
    )


def drops(summary: Mapping[str, Any]) -> str:
    """What went no further, by place, class and reason."""
    if not summary["drops"]:
        return section("Drops", "<p>Nothing was dropped anywhere.</p>")
    figure = f"<figure>{plots.drops_by_reason(summary['drops'])}</figure>"
    return section("Drops", figure + drops_table(summary["drops"]))
