"""The page itself: all on it comes from a run folder: `summary.json`, `config.yaml`, `thumbnails/`; what is
drawn over time, from the journal and the samples."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from launch.errors import RunFolderError
from launch.report.answers import accuracy
from launch.report.history import read_history
from launch.report.markup import STYLE, contents, section, table
from launch.report.requests import samples
from launch.report.rerun import rerun
from launch.report.times import air, faults, latency, resources
from launch.report.traffic import drops, traffic

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
    history = read_history(run_dir, len(summary["users"]))
    body = "".join(
        (
            _verdict(summary),
            accuracy(summary),
            traffic(summary),
            samples(summary, history, run_dir),
            latency(summary, history),
            air(summary, history),
            faults(summary),
            drops(summary),
            resources(summary, history),
            rerun(summary),
            _details(summary, config),
        )
    )
    title = f"M4SC run {escape(str(summary['run_id']))}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main>{_head(summary)}{contents(body)}{body}</main></body></html>\n"
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
