"""A figure as one HTML page without network: plots, tables, every row and its command."""

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from launch.experiments.paper import fig5, fig6
from launch.experiments.paper.matched import SHARE, Need, Pair
from launch.experiments.paper.plots import accuracy_figure, data_figure, save, uses_figure
from launch.experiments.paper.sheets import Sheet, SheetRow
from launch.measurement.points import OWN_SCHEME
from launch.report.markup import STYLE, section, table

_INTERVALS: Final = (
    "All rows of a sheet have the same questions and noise seeds. Intervals are 95%, by bootstrap over "
    "pictures or reviews (Wilson's where there are fewer than ten); differences are paired. Accuracy of "
    "questions is the mean over their families. Channel uses are of the downlink, pilots, maps and "
    "retransmissions included. A request that was refused, as its picture does not fit the budget, counts as "
    "a wrong answer; a row with any stands in no table at matched bandwidth."
)
_PUBLISHED: Final = (
    "Stars: accuracies of DeepSC-VQA as published, on other data, with another image encoder and at their "
    "own SNR labels; drawn beside AWGN to have them at hand, not to be compared point by point."
)


def write_fig5(
    out: Path, command: str, left_out: Sequence[str], sheets: Sequence[Sheet], found: fig5.Result
) -> list[Path]:
    """fig5.png, fig5_uses.png, both as SVG too, and fig5.html; the paths."""
    plots = [out / f"{fig5.NAME}.png", out / f"{fig5.NAME}_uses.png"]
    accuracy = save(accuracy_figure(found.rows), plots[0])
    uses = save(uses_figure(found.rows), plots[1])
    about = {sheet.name: sheet.about for sheet in sheets}
    parts = [
        section("Accuracy against SNR", _figure(accuracy) + _notes([_INTERVALS, _PUBLISHED, *left_out])),
        section("Accuracy against channel uses", _figure(uses)),
        section("At equal channel uses", pairs_text(found.pairs, about)),
        section(f"At equal accuracy: {SHARE:g} of the best", needs_text(found.needs, about)),
        section("All rows", rows_text(found.rows, about)),
    ]
    page = out / f"{fig5.NAME}.html"
    _write(page, "Figure 5: accuracy over the air", command, parts)
    return [*plots, page]


def write_fig6(out: Path, command: str, left_out: Sequence[str], found: fig6.Result) -> list[Path]:
    """fig6.png, as SVG too, and fig6.html; the paths."""
    plot = out / f"{fig6.NAME}.png"
    drawing = save(data_figure(found.rows), plot)
    said = (
        "Every user asks once in a round; so much does a round cost. Solid: what several users need is sent "
        "once. Dotted, open marks: to each user its own copy. A single user shares with nobody and begins "
        "every line."
    )
    about = {fig6.ACCURACY: "Operating points", fig6.DATA: "Users, overlap, sharing"}
    parts = [
        section("Transmitted data against users", _figure(drawing) + _notes([said, *left_out])),
        section("Operating points", chosen_text(found.chosen)),
        section("What sharing leaves", shares_text(found.rows)),
        section("All rows", _notes([_INTERVALS]) + rows_text([*found.accuracy, *found.rows], about)),
    ]
    page = out / f"{fig6.NAME}.html"
    _write(page, "Figure 6: transmitted data", command, parts)
    return [plot, page]


def pairs_text(pairs: Sequence[Pair], about: dict[str, str]) -> str:
    """A table a sheet."""
    headings = (
        "rival", "m4sc", "SNR, dB", "rival's uses", "m4sc's uses", "rival, %", "m4sc, %",
        "m4sc minus rival, points (95%)", "m4sc is", "as accurate at no more uses",
    )  # fmt: skip
    parts = [
        "<p>Against every operating point of a rival that of m4sc which uses most within as many channel "
        "uses; where m4sc has none as cheap, its cheapest, and the last column says so.</p>"
    ]
    for sheet in dict.fromkeys(pair.sheet for pair in pairs):
        lines = [
            (
                pair.rival,
                pair.own.removeprefix(f"{OWN_SCHEME}, "),
                f"{pair.snr_db:g}",
                f"{pair.rival_uses:,.0f}",
                f"{pair.own_uses:,.0f}",
                f"{100 * pair.rival_accuracy:.1f}",
                f"{100 * pair.own_accuracy:.1f}",
                _points(pair.points, pair.points_low, pair.points_high),
                pair.finding,
                ("yes" if pair.holds else "no") if pair.fits else "no: needs more uses",
            )
            for pair in sorted(
                (p for p in pairs if p.sheet == sheet), key=lambda p: (_rank(p.rival), p.rival, p.snr_db)
            )
        ]
        n = next(pair.n for pair in pairs if pair.sheet == sheet)
        parts.append(f"<p><b>{escape(about[sheet])}</b>, {n} questions a row</p>" + table(headings, lines, 2))
    return "".join(parts)


def needs_text(needs: Sequence[Need], about: dict[str, str]) -> str:
    """A table for each threshold: schemes by SNR, the sheets that share it side by side."""
    parts = [
        "<p>The fewest channel uses of the downlink a request at which a scheme reaches the threshold, and "
        "its operating point. ~: the interval of its accuracy reaches below. –: no measured point reaches "
        "it.</p>"
    ]
    for threshold in dict.fromkeys(need.threshold for need in needs):
        of = [need for need in needs if need.threshold == threshold]
        columns = list(dict.fromkeys((need.sheet, need.snr_db) for need in of))
        together = len({need.sheet for need in of}) > 1
        headings = ["scheme"] + [
            f"{snr_db:g} dB" + (", one picture for all" if together and sheet == fig5.TOGETHER else "")
            for sheet, snr_db in columns
        ]
        cells = {(need.scheme, need.sheet, need.snr_db): _need(need) for need in of}
        lines = [
            [scheme, *(cells.get((scheme, *column), "not measured") for column in columns)]
            for scheme in dict.fromkeys(need.scheme for need in of)
        ]
        title = "; ".join(about[sheet] for sheet in dict.fromkeys(need.sheet for need in of))
        parts.append(
            f"<p><b>{escape(title)}</b>: at least {100 * threshold:.1f}%</p>" + table(headings, lines)
        )
    return "".join(parts)


def _need(need: Need) -> str:
    if need.uses is None:
        return "–"
    size = (need.point or "").removeprefix(need.scheme).lstrip(":, ")
    return f"{'' if need.sure else '~'}{need.uses:,.0f}{f' ({size})' if size else ''}"


def chosen_text(chosen: Sequence[fig6.Chosen]) -> str:
    headings = ("operating point", "why", "accuracy, % (95%)", "n", "uses a request")
    lines = [
        (
            one.curve,
            one.why,
            _interval(one.accuracy, one.accuracy_low, one.accuracy_high),
            f"{one.n:,}",
            f"{one.uses_per_request:,.0f}",
        )
        for one in chosen
    ]
    return table(headings, lines, 2)


def shares_text(rows: Sequence[SheetRow]) -> str:
    """Of every row with sharing, its uses over those of m4sc beside it, and over its own without sharing."""
    headings = (
        "operating point",
        "users",
        "overlap",
        "uses a round",
        "over m4sc's",
        "over its own, each alone",
    )
    shared = [row for row in rows if row.sharing]
    own = {(row.users, row.overlap): row for row in shared if row.scheme == OWN_SCHEME}
    lines = []
    for row in sorted(shared, key=lambda row: (row.overlap, row.users)):
        against = own.get((row.users, row.overlap))
        lines.append(
            (
                row.curve,
                str(row.users),
                f"{row.overlap:g}",
                f"{fig6.round_uses(row):,.0f}",
                "" if against is None else f"{fig6.round_uses(row) / fig6.round_uses(against):.2f}",
                "" if row.uses_against_alone is None else f"{row.uses_against_alone:.2f}",
            )
        )
    return table(headings, lines)


def rows_text(rows: Sequence[SheetRow], about: dict[str, str]) -> str:
    headings = (
        "operating point", "command", "users", "overlap", "SNR, dB", "sharing", "seed", "accuracy, % (95%)",
        "n", "answered", "degraded", "failed", "refused", "uses a request", "wire bytes a request",
    )  # fmt: skip
    parts = []
    for sheet in dict.fromkeys(row.sheet for row in rows):
        lines = [
            (
                row.curve,
                row.command,
                str(row.users),
                f"{row.overlap:g}",
                f"{row.snr_db:g}",
                "on" if row.sharing else "off",
                str(row.seed),
                _interval(row.accuracy, row.accuracy_low, row.accuracy_high),
                f"{row.n:,}",
                f"{row.answered:,}",
                f"{row.degraded:,}",
                f"{row.failed + row.expired:,}",
                f"{row.refused:,}",
                f"{row.uses_per_request:,.1f}",
                f"{row.wire_bytes_per_request:,.0f}",
            )
            for row in rows
            if row.sheet == sheet
        ]
        kept = [line[:1] + line[2:] for line in lines]
        commands = "\n".join(line[1] for line in lines)
        parts.append(
            f"<p><b>{escape(about[sheet])}</b></p>"
            + table(headings[:1] + headings[2:], kept)
            + f"<details><summary>the command of each row</summary><pre>{escape(commands)}</pre></details>"
        )
    return "".join(parts)


def _rank(rival: str) -> int:
    """Those of the paper first."""
    return 0 if rival.startswith("deepsc") else 1


def _interval(value: float, low: float, high: float) -> str:
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _points(points: float, low: float | None, high: float | None) -> str:
    return f"{points:+.1f}" if low is None or high is None else f"{points:+.1f} ({low:+.1f} to {high:+.1f})"


def _figure(svg: str) -> str:
    return f"<figure>{svg}</figure>"


def _notes(lines: Sequence[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _write(path: Path, title: str, command: str, parts: Sequence[str]) -> None:
    head = f"<header><h1>{escape(title)}</h1><pre>{escape(command)}</pre></header>"
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><main>{head}{''.join(parts)}</main></body></html>\n"
    )
    partial = path.with_name(f"{path.name}.tmp")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
