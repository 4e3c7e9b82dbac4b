"""The tables a run ends with: bytes and channel uses per user, and how right the answers were."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

VERDICT_STYLES = {"valid": "bold green", "invalid": "bold red", "unknown": "bold yellow"}
BYTE_COLUMNS = (
    ("public", "public_bytes_share", "public_bytes"),
    ("private", "private_bytes", "private_bytes"),
    ("side", "side_bytes", "side_bytes"),
    ("pilots", "pilot_bytes", "pilot_bytes"),
    ("control", "control_bytes", "control_bytes"),
    ("feedback", "feedback_bytes", "feedback_bytes"),
    ("wire", "wire_bytes", "wire_bytes"),
    ("resent", "retransmitted_bytes", "retransmitted_bytes"),
    ("uses", "channel_uses", "channel_uses"),
)
"""Heading, key of a user's line, key of the totals. Up to `feedback` they add up to `wire`."""
LEFT_OUT_WHEN_ZERO = ("pilots", "resent")


def summary_table(summary: Mapping[str, Any]) -> Table:
    """One row a user with exact bytes, nobody's bytes, and the totals, which are the sums above them."""
    columns = [c for c in BYTE_COLUMNS if c[0] not in LEFT_OUT_WHEN_ZERO or summary["totals"][c[2]]]
    table = Table(
        title=f"transmitted bytes per user · {summary['run_id']}",
        caption="public: each user's share of what was sent once\n"
        "classes add up to wire, with headers and framing; resent is a part of them",
        header_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
        box=None,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("user", justify="right", no_wrap=True)
    table.add_column("dB", justify="right", no_wrap=True)
    table.add_column("ok/all", justify="right", no_wrap=True)
    for heading, _, _ in columns:
        table.add_column(heading, justify="right", overflow="fold")  # no digit is ever left out
    for line in summary["users"]:
        counts = line.get("requests", {})
        table.add_row(
            str(line["user"]),
            f"{line['snr_db']:g}",
            f"{counts.get('answered', 0)}/{counts.get('attempted', 0)}",
            *(f"{line[key]:,}" for _, key, _ in columns),
        )
    nobody = summary["unattributed"]
    table.add_row("none", "", "", *(f"{nobody[key]:,}" for _, _, key in columns), style="dim")
    table.add_section()
    requests = summary["requests"]
    table.add_row(
        "total",
        "",
        f"{requests['answered']}/{requests['attempted']}",
        *(f"{summary['totals'][key]:,}" for _, _, key in columns),
        style="bold",
    )
    return table


def accuracy_table(summary: Mapping[str, Any]) -> Table:
    """Accuracy by task, kind and family beside the control with all image tokens erased."""
    table = Table(title="answers", header_style="bold", box=None, pad_edge=False, title_justify="left")
    for heading in ("task", "kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("right", "accuracy", "95%", "image erased", "95%", "gain"):
        table.add_column(heading, justify="right", no_wrap=True)
    for task, found in summary["accuracy"].items():
        control = found.get("control", {})
        gain = found.get("gain")
        rows: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = [("all", found, control)]
        if len(found["by_kind"]) > 1:
            rows += [(k, v, control.get("by_kind", {}).get(k, {})) for k, v in found["by_kind"].items()]
        if len(found["by_family"]) > 1:
            rows += [(k, v, control.get("by_family", {}).get(k, {})) for k, v in found["by_family"].items()]
        rows += [(k, found[k], control.get(k, {})) for k in ("macro", "families") if k in found]
        for kind, line, erased in rows:
            points = gain if gain and gain["of"] == ("macro" if kind == "macro" else "accuracy") else None
            points = points if kind in ("all", "macro") else None
            right = f"{line['correct']}/{line['total']}" if "correct" in line else str(line["total"])
            table.add_row(
                task,
                kind,
                right,
                _percent(line),
                _interval(line),
                _percent(erased),
                _interval(erased),
                f"{points['points']:+.1f}" if points else "",
                style="bold" if kind in ("all", "macro", "families") else "",
            )
    return table


FAULT_HEADINGS = ("fault", "on", "begin s", "end s", "strikes", "ready after s", "whole answer after s")


def fault_rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """Cells of `FAULT_HEADINGS`, a row a fault."""
    keys = ("fault", "on", "begin_s", "end_s", "strikes", "ready_after_s", "answer_after_s")
    return [[_cell(line[key]) for key in keys] for line in summary["faults"]]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def fault_table(summary: Mapping[str, Any]) -> Table:
    """When each fault was active, how often it struck, and how soon the run was well again."""
    table = Table(title="faults", header_style="bold", box=None, pad_edge=False, title_justify="left")
    for heading in FAULT_HEADINGS:
        table.add_column(heading, justify="left" if heading in ("fault", "on") else "right", no_wrap=True)
    for row in fault_rows(summary):
        table.add_row(*row)
    return table


def summary_view(summary: Mapping[str, Any]) -> RenderableType:
    """Everything a person wants to see at the end of a run."""
    requests = summary["requests"]
    latency = summary["latency_ms"]
    verdict = summary["verdict"]
    lines: list[RenderableType] = [summary_table(summary)]
    if summary["accuracy"]:
        lines += [Text(""), accuracy_table(summary)]
    if summary["faults"]:
        lines += [Text(""), fault_table(summary)]
    counted = ", ".join(f"{count} {name}" for name, count in requests.items() if count or name == "attempted")
    lines += [Text(""), Text.assemble(("requests  ", "bold"), counted)]
    asked = summary["questions"]
    if asked["asked_at"] == "ue":
        said = f"{asked['questions']:,} asked at the UEs about {asked['deliveries']:,} deliveries of an image"
        lines.append(Text.assemble(("questions ", "bold"), said))
    lines += [
        Text(f"          {line['count']} {line['state']}: {line['reason'] or 'no reason given'}")
        for line in summary["failures"]
    ]
    if latency["p50"] is not None:
        first = summary["launch_to_first_answer_s"]
        lines.append(
            Text.assemble(
                ("latency   ", "bold"),
                f"p50 {latency['p50']:.0f} ms, p95 {latency['p95']:.0f} ms, p99 {latency['p99']:.0f} ms",
                "" if first is None else f"; launch to first answer {first:.1f} s",
            )
        )
    lines.append(Text.assemble(("verdict   ", "bold"), (verdict, VERDICT_STYLES.get(verdict, "bold"))))
    lines += [Text(f"          {finding}") for finding in summary["findings"]]
    return Group(*lines)


def _percent(line: Mapping[str, Any]) -> str:
    return f"{100 * line['accuracy']:.1f}%" if "accuracy" in line else "–"


def _interval(line: Mapping[str, Any]) -> str:
    if "interval95" not in line:
        return ""
    low, high = line["interval95"]
    return f"{100 * low:.0f}–{100 * high:.0f}"
