"""The page itself: all on it comes from a run folder: `summary.json`, `config.yaml`, `thumbnails/`; what is
drawn over time, from the journal and the samples."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from launch.errors import RunFolderError
from launch.report import over_time, plots
from launch.report.history import History, read_history
from launch.report.markup import STYLE, image, section, table
from launch.scoring import MACRO_KINDS
from launch.summary_table import BYTE_COLUMNS, FAULT_HEADINGS, fault_rows

_VERDICT_WORDS = {
    "valid": "no rule broken, nothing left open",
    "invalid": "a rule is broken: do not use these numbers",
    "unknown": "no rule broken, but not all that must be known is known",
}


class ReportError(RunFolderError):
    """There is no run to report on; one line that names the folder and what is missing."""


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into a run folder, from what is in that folder. Raises `ReportError`."""
    path = run_dir / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReportError(f"{run_dir}: no summary.json, expected the folder of a run") from None
    except (OSError, ValueError) as error:
        raise ReportError(f"{path}: cannot be read ({error})") from None
    try:
        config = (run_dir / "config.yaml").read_text(encoding="utf-8")
    except OSError:
        config = "(config.yaml is missing)"
    try:
        page = _page(summary, config, run_dir)
        target = run_dir / "report.html"
        target.write_text(page, encoding="utf-8")
    except (KeyError, TypeError) as error:
        raise ReportError(f"{path}: expected a summary of this version ({error!r})") from None
    except OSError as error:
        raise ReportError(f"{run_dir}: report.html cannot be written ({error.strerror})") from None
    return target


def _page(summary: Mapping[str, Any], config: str, run_dir: Path) -> str:
    history = read_history(run_dir)
    parts = [
        _head(summary),
        _verdict(summary),
        _accuracy(summary),
        _bytes(summary),
        _latency(summary, history),
        _faults(summary),
        _resources(summary, history),
        _drops(summary),
        _samples(summary, run_dir),
        _details(summary, config),
    ]
    title = f"M4SC run {escape(str(summary['run_id']))}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(summary: Mapping[str, Any]) -> str:
    requests, first = summary["requests"], summary["launch_to_first_answer_s"]
    p50 = summary["latency_ms"]["p50"]
    facts = [
        ("requests", f"{requests['answered']} of {requests['attempted']} answered"),
        ("users", str(len(summary["users"]))),
        ("wire bytes", f"{summary['totals']['wire_bytes']:,}"),
        ("channel uses", f"{summary['totals']['channel_uses']:,}"),
        ("median latency", "–" if p50 is None else f"{p50:.0f} ms"),
        ("to first answer", "–" if first is None else f"{first:.1f} s"),
    ]
    asked = summary["questions"]
    if asked["asked_at"] == "ue":
        facts.insert(1, ("questions asked at the UEs", f"{asked['questions']:,}"))
    vqa = summary["accuracy"].get("vqa", {})
    if "macro" in vqa:
        facts.insert(1, ("VQA macro accuracy", f"{100 * vqa['macro']['accuracy']:.1f}%"))
    cards = "".join(f"<div><b>{escape(v)}</b><span>{escape(k)}</span></div>" for k, v in facts)
    about = f"{summary['name']} · " + " · ".join(f"{k} {summary[k]}" for k in ("scheme", "bundle", "seed"))
    return (
        f"<header><h1>{escape(str(summary['run_id']))}</h1><p>{escape(about)}</p></header>"
        f'<div class="cards">{cards}</div>'
    )


def _verdict(summary: Mapping[str, Any]) -> str:
    verdict = summary["verdict"]
    findings = "".join(f"<li>{escape(line)}</li>" for line in summary["findings"])
    counts = table(list(summary["requests"]), [[str(v) for v in summary["requests"].values()]])
    why = [[line["state"], str(line["count"]), line["reason"]] for line in summary["failures"]]
    body = (
        f'<p class="verdict {escape(verdict)}"><b>{escape(verdict)}</b> {_VERDICT_WORDS.get(verdict, "")}</p>'
        + (f"<ul>{findings}</ul>" if findings else "")
        + counts
        + (table(["state", "requests", "reason"], why, text_columns=3) if why else "")
    )
    return section("Verdict", body)


def _accuracy(summary: Mapping[str, Any]) -> str:
    if not summary["accuracy"]:
        return ""
    rows: list[list[str]] = []
    drawn = ""
    for task, found in summary["accuracy"].items():
        control = found.get("control", {})
        lines = [("all", found, control)]
        for group, label in (("by_kind", ""), ("by_family", "family ")):
            if len(found[group]) > 1:
                lines += [
                    (f"{label}{k}", v, control.get(group, {}).get(k, {})) for k, v in found[group].items()
                ]
        if "macro" in found:
            lines.append(("macro average", found["macro"], control.get("macro", {})))
        for name, line, erased in lines:
            right = f"{line['correct']} of {line['total']}" if "correct" in line else f"{line['total']}"
            rows.append([task, name, right, *_share(line), *_share(erased)])
        if "gain" in found:
            gain = found["gain"]
            interval = "{:+.1f} to {:+.1f}".format(*gain["interval95"]) if "interval95" in gain else ""
            rows.append(
                [
                    task,
                    f"gain over control ({gain['of']})",
                    "",
                    f"{gain['points']:+.1f} points",
                    interval,
                    "",
                    "",
                ]
            )
        if len(found["by_kind"]) > 1:
            drawn += f"<figure>{plots.accuracy_bars(found, MACRO_KINDS)}</figure>"
    headings = ["task", "kind", "right", "accuracy", "95%", "image erased", "95%"]
    note = (
        "<p>Control: the same replica, the same question, every image token erased. Captions are scored by "
        "F1 over (size, colour, material, shape). Intervals by bootstrap over images, by Wilson's formula "
        "where there are too few of them. Questions are counted here, deliveries above: one that failed or "
        "expired counts as wrong for each of its questions.</p>"
    )
    return section("Answers", drawn + table(headings, rows, text_columns=2) + note)


def _faults(summary: Mapping[str, Any]) -> str:
    if not summary["faults"]:
        return ""
    note = (
        "<p>Times after the first request. A process that was killed is <i>ready after</i> so long; the "
        "<i>whole answer</i> is the next one that no token was lost of, after the fault's end.</p>"
    )
    return section("Faults", table(list(FAULT_HEADINGS), fault_rows(summary), text_columns=2) + note)


def _share(line: Mapping[str, Any]) -> list[str]:
    if "accuracy" not in line:
        return ["–", ""]
    low, high = line["interval95"]
    return [f"{100 * line['accuracy']:.1f}%", f"{100 * low:.1f} – {100 * high:.1f}"]


def _bytes(summary: Mapping[str, Any]) -> str:
    headings = ["user", "SNR dB", *(heading for heading, _, _ in BYTE_COLUMNS)]
    rows = [
        [str(u["user"]), f"{u['snr_db']:g}", *(f"{u[key]:,}" for _, key, _ in BYTE_COLUMNS)]
        for u in summary["users"]
    ]
    for name, line in (("nobody", summary["unattributed"]), ("total", summary["totals"])):
        rows.append([name, "", *(f"{line[key]:,}" for _, _, key in BYTE_COLUMNS)])
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
        "Bytes and channel uses per user", figure + shown + table(headings, rows) + note + f"<p>{words}</p>"
    )


def _latency(summary: Mapping[str, Any], history: History) -> str:
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


def _resources(summary: Mapping[str, Any], history: History) -> str:
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


def _drops(summary: Mapping[str, Any]) -> str:
    if not summary["drops"]:
        return section("Drops", "<p>Nothing was dropped anywhere.</p>")
    headings = list(summary["drops"][0])
    rows = [[f"{v:,}" if isinstance(v, int) else str(v) for v in line.values()] for line in summary["drops"]]
    return section("Drops", table([h.replace("_", " ") for h in headings], rows, text_columns=5))


def _samples(summary: Mapping[str, Any], run_dir: Path) -> str:
    if not summary["samples"]:
        return ""
    cards = ""
    for line in summary["samples"]:
        mark = "none" if line["score"] is None else "right" if line["score"] >= 1 else "wrong"
        answer = escape(line["answer"]) if line["answer"] is not None else f"<i>{escape(line['state'])}</i>"
        rows = f"<dt>answer</dt><dd class='{mark}'>{answer}</dd>"
        if line["expected"] is not None:
            rows += f"<dt>expected</dt><dd>{escape(line['expected'])}</dd>"
        if line["control"] is not None:
            rows += f"<dt>erased</dt><dd>{escape(line['control'])}</dd>"
        if line["task"] == "caption" and line["score"] is not None:
            rows += f"<dt>F1</dt><dd>{line['score']:.2f}</dd>"
        question = escape(line["text"][:400]) or f"<i>{escape(line['task'])}</i>"
        cards += (
            f'<article>{image(run_dir, line["thumbnail"])}<p class="q">{question}</p><dl>{rows}</dl>'
            f'<p class="who">request {line["index"]} · user {line["user"]} · {escape(line["kind"])}</p>'
            "</article>"
        )
    note = "<p>Evenly spaced over the workload, not picked by result.</p>"
    return section("Some requests", note + f'<div class="samples">{cards}</div>')


def _details(summary: Mapping[str, Any], config: str) -> str:
    keys = list(dict.fromkeys(key for role in summary["roles"] for key in role))
    roles = table(
        keys, [[str(role.get(key, "")) for key in keys] for role in summary["roles"]], text_columns=len(keys)
    )
    links = table(
        [key.replace("_", " ") for key in summary["links"][0]] if summary["links"] else [],
        [[f"{v:,}" if isinstance(v, int) else str(v) for v in line.values()] for line in summary["links"]],
        text_columns=3,
    )
    where = {k: v for k, v in summary["environment"].items() if k != "packages"}
    where |= {name: version for name, version in summary["environment"]["packages"].items() if version}
    machine = table(["", ""], [[k.replace("_", " "), str(v)] for k, v in where.items()], text_columns=2)
    return (
        section("Processes", roles)
        + section("Every hop, relayed messages included", links)
        + section("Configuration", f"<pre>{escape(config)}</pre>")
        + section("Machine and versions", machine)
    )
