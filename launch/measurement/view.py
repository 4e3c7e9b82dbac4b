"""A measurement as a table on a terminal."""

from collections.abc import Sequence

from rich.table import Table

from launch.measurement.rows import Row

_RIGHT = ("users", "overlap", "SNR, dB", "point", "uses an image", "sharing")
_PER_REQUEST = ("uses", "public", "private", "side", "pilots")
_RESULTS = ("bytes", "accuracy (95%)", "n", "uses : alone", "points : alone (95%)")


def table_of(rows: Sequence[Row]) -> Table:
    """Uses, in all and by class, are of the downlink; they and the wire's bytes are those of a request."""
    table = Table(
        title="A request: channel uses of the downlink by class, bytes on the wire", title_justify="left"
    )
    for name in (*_RIGHT, *_PER_REQUEST, *_RESULTS):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        uses = (row.downlink_uses, row.public_uses, row.private_uses, row.side_uses, row.pilots_uses)
        table.add_row(
            str(row.users),
            f"{row.overlap:g}",
            f"{row.snr_db:g}",
            row.point,
            "" if row.image_uses is None else f"{row.image_uses:,}",
            "on" if row.sharing else "off",
            *(f"{total / row.attempted:,.0f}" for total in uses),
            f"{row.wire_bytes_per_request:,.0f}",
            f"{100 * row.accuracy:.1f} ({100 * row.accuracy_low:.1f} to {100 * row.accuracy_high:.1f})",
            f"{row.n:,}",
            "" if row.uses_against_alone is None else f"{row.uses_against_alone:.3f}",
            _points(row),
        )
    return table


def _points(row: Row) -> str:
    if row.points_against_alone is None:
        return ""
    low, high = row.points_against_alone_low, row.points_against_alone_high
    interval = "" if low is None or high is None else f" ({low:+.1f} to {high:+.1f})"
    return f"{row.points_against_alone:+.1f}{interval}"
