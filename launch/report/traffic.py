"""What was sent, and what of it went no further: the ledger's side of a report."""

from collections.abc import Mapping
from typing import Any

from launch.report import plots
from launch.report.ledger_tables import bytes_table, drops_table
from launch.report.markup import section


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
