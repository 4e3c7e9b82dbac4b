"""One row of a measurement: what a run cost on the air and in bytes, by class and user, and what it gave."""

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from launch.accounts import is_originated
from launch.errors import LaunchError
from launch.figures import Figure, figure_of
from launch.measurement.grid import Place
from shared.ledger_rows import LedgerRow

DOWNLINK_CLASSES: Final = ("public", "private", "side", "pilots")
_METRICS: Final = (
    "accuracy.vqa.families",
    "accuracy.vqa",
    "accuracy.caption",
    "accuracy.text_classification",
)
_COUNTS: Final = ("attempted", "answered", "degraded", "failed", "expired", "refused")
_USER_COLUMNS: Final = (
    "channel_uses",
    "wire_bytes",
    "payload_bytes",
    "public_bytes_share",
    "private_bytes",
    "side_bytes",
    "pilot_bytes",
    "control_bytes",
    "feedback_bytes",
    "retransmitted_bytes",
    "retransmitted_uses",
    "frames",
    "energy",
)


class Row(BaseModel):
    """Channel uses are of the downlink, all users together; an operating point's image costs `image_uses`,
    where that does not depend on the image.

    `accuracy` is the mean over question families where there are several. `against_alone` compares with the
    same row without sharing: channel uses as a ratio, accuracy as a paired difference in points.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    row: str
    users: int
    overlap: float
    snr_db: float
    scheme: str
    point: str
    sharing: bool
    seed: int
    image_uses: int | None
    attempted: int
    answered: int
    degraded: int
    failed: int
    expired: int
    refused: int
    metric: str
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    downlink_uses: int
    public_uses: int
    private_uses: int
    side_uses: int
    pilots_uses: int
    uses_per_request: float
    uses_per_user_mean: float
    uses_per_user_most: int
    wire_bytes: int
    payload_bytes: int
    wire_bytes_per_request: float
    wire_bytes_per_user_mean: float
    energy: float
    uses_against_alone: float | None = None
    points_against_alone: float | None = None
    points_against_alone_low: float | None = None
    points_against_alone_high: float | None = None
    command: str


def row_of(
    place: Place, summary: dict[str, Any], ledger: Sequence[LedgerRow], image_uses: int | None, command: str
) -> Row:
    """Of a finished run. Raises `LaunchError` where its accounts do not add up."""
    check_accounts(place.name, summary)
    uses = downlink_uses(ledger)
    requests, users, totals = summary["requests"], summary["users"], summary["totals"]
    metric, figure = primary_figure(summary)
    attempted = int(requests["attempted"])
    return Row(
        row=place.name,
        users=place.users,
        overlap=place.overlap,
        snr_db=place.snr_db,
        scheme=place.point.scheme,
        point=place.point.label,
        sharing=place.sharing,
        seed=summary["seed"],
        image_uses=image_uses,
        **{name: int(requests[name]) for name in _COUNTS},
        metric=metric,
        accuracy=figure.value,
        accuracy_low=figure.low,
        accuracy_high=figure.high,
        n=figure.n,
        downlink_uses=sum(uses.values()),
        **{f"{klass}_uses": uses[klass] for klass in DOWNLINK_CLASSES},
        uses_per_request=sum(uses.values()) / max(1, attempted),
        uses_per_user_mean=sum(u["channel_uses"] for u in users) / len(users),
        uses_per_user_most=max(u["channel_uses"] for u in users),
        wire_bytes=totals["wire_bytes"],
        payload_bytes=totals["payload_bytes"],
        wire_bytes_per_request=totals["wire_bytes"] / max(1, attempted),
        wire_bytes_per_user_mean=sum(u["wire_bytes"] for u in users) / len(users),
        energy=totals["energy"],
        command=command,
    )


def check_accounts(name: str, summary: dict[str, Any]) -> None:
    """Users and what is nobody's add up to the link's totals, exactly. Raises `LaunchError`."""
    for column in ("wire_bytes", "payload_bytes", "channel_uses", "frames"):
        parts = sum(user[column] for user in summary["users"]) + summary["unattributed"][column]
        if parts != summary["totals"][column]:
            raise LaunchError(
                f"{name}: {column} of users and of nobody are {parts}, the link's are "
                f"{summary['totals'][column]}"
            )


def downlink_uses(ledger: Sequence[LedgerRow]) -> Counter[str]:
    """Channel uses that the base station sent, retransmissions included, by class."""
    uses = Counter(dict.fromkeys(DOWNLINK_CLASSES, 0))
    for line in ledger:
        if is_originated(line) and line.key.direction == "down" and line.values.channel_uses:
            uses[line.key.klass] += line.values.channel_uses
    return uses


def primary_figure(summary: dict[str, Any]) -> tuple[str, Figure]:
    """The first of the usual accuracies that the run has. Raises `LaunchError`."""
    for metric in _METRICS:
        try:
            return metric, figure_of(summary, metric)
        except LaunchError:
            continue
    raise LaunchError(f"{summary['name']}: expected one of {', '.join(_METRICS)} in the summary")


def user_lines(row: Row, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """A row's users, one line each."""
    head = {name: getattr(row, name) for name in ("row", "users", "overlap", "snr_db", "point", "sharing")}
    return [
        {**head, "user": user["user"], **{name: user[name] for name in _USER_COLUMNS}}
        for user in summary["users"]
    ]


def write_table(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """`path` as CSV and, beside it, as Parquet; each whole or as it was."""
    import pyarrow as pa
    from pyarrow import parquet

    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text.getvalue(), encoding="utf-8")
    os.replace(partial, path)
    parquet.write_table(pa.Table.from_pylist(list(lines)), partial)
    os.replace(partial, path.with_suffix(".parquet"))
