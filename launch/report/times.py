"""What happened when: latency, faults, memory, over the time of the run."""

from collections.abc import Mapping
from typing import Any

from launch.report import over_time, plots
from launch.report.history import History
from launch.report.markup import section, table
from launch.summary_table import FAULT_HEADINGS, fault_rows


def latency(summary: Mapping[str, Any], history: History) -> str:
    latency = summary["latency_ms"]
    drawn = ""
    if history.endings:
        drawn = f"<figure>{over_time.latency_over_time(history, summary['faults'])}</figure>"
    if latency["p50"] is None:
        return section("Latency", f"{drawn}<p>No request was answered.</p>")
    rows = [
        [name.replace("_", " "), *(f"{line[p]:.1f}" for p in ("p50", "p95", "p99"))]
        for name, line in (("request", latency), *latency["by_stage"].items())
    ]
    note = (
        f"<p>{latency['answers']} answers, milliseconds. <i>queue</i> is waiting at the base station, "
        "<i>air</i> is everything between transmission and answer that is not the UE's own work.</p>"
    )
    headings = ["stage", "p50", "p95", "p99"]
    figure = f"<figure>{plots.latency_by_stage(summary)}</figure>"
    return section("Latency", figure + table(headings, rows) + note + drawn)


def air(summary: Mapping[str, Any], history: History) -> str:
    """Nothing where the journal shows no symbols (`journal.symbols`), or there was no noise."""
    if not any(point.received_db is not None for point in history.seen.air):
        return ""
    shown = len(history.seen.air)
    note = f"<p>The last {shown:,} requests, a frame of each; the average is that of the user's channel.</p>"
    return section("The air", f"<figure>{over_time.snr_over_time(history, summary['faults'])}</figure>{note}")


def faults(summary: Mapping[str, Any]) -> str:
    if not summary["faults"]:
        return ""
    note = (
        "<p>Times after the first request. A process that was killed is <i>ready after</i> so long; the "
        "<i>whole answer</i> is the next one that no token was lost of, after the fault's end.</p>"
    )
    return section("Faults", table(list(FAULT_HEADINGS), fault_rows(summary), text_columns=2) + note)


def resources(summary: Mapping[str, Any], history: History) -> str:
    if not summary["resources"] or not history.samples:
        return ""
    figure = f"<figure>{over_time.pss_over_time(history, summary['faults'])}</figure>"
    shown = (
        f"<p>The first {over_time.MAX_LINES} processes are drawn.</p>"
        if len(summary["resources"]) > over_time.MAX_LINES
        else ""
    )
    rows = [["–" if v is None else str(v) for v in line.values()] for line in summary["resources"]]
    headings = [key.replace("_", " ") for key in summary["resources"][0]]
    note = (
        "<p>The last process of each role. PSS in millions of bytes, pages shared by several processes in "
        "shares; its slope is that of the last half of the samples, of at most five minutes. Descriptors and "
        "threads in the first sample and in the last.</p>"
    )
    return section("Resources", figure + shown + table(headings, rows) + note)
