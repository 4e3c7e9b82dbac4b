"""The ledger's numbers as tables of HTML: of a report, and of a page beside a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.report.markup import table
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
