"""`summary.json`: the numbers of a run, worked out from its journal and its ledger and nothing else.

A run that was cut short gives the same keys; what is not known is null, and the verdict says `unknown`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from launch.accounts import Account, accounts
from launch.chaos.timeline import fault_timeline
from launch.environment import environment
from launch.resources.use import read_resources, resource_use
from launch.run_files import RunFiles, read_run
from launch.samples import sample_requests
from launch.scoring import accuracy, judge
from launch.verdict import Verdict, check
from launch.verdict.requests import STATE_OF, stories
from shared.config import RunConfig
from shared.fault_config import LOSSES
from shared.ledger_files import write_csv, write_parquet
from shared.ledger_rows import LedgerRow

PERCENTILES = (50, 95, 99)
MAX_FAILURES = 8
"""Different reasons that are listed."""


def write_results(
    run_dir: Path,
    config: RunConfig,
    roles: Sequence[Mapping[str, Any]],
    *,
    run_id: str | None = None,
    started_wall_s: float | None = None,
    fingerprint: str | None = None,
) -> dict[str, Any]:
    """Write `ledger.csv`, `ledger.parquet` and `summary.json` into the run folder; return the summary.

    Args:
        run_dir: holds journal.jsonl, counters/ and, if there was one, workload.jsonl.
        config: the resolved configuration.
        roles: {role, user, pid, host, ...} of every process that was started.
        run_id: the folder's name if None.
        started_wall_s: unix time at which the command began; the first journal event if None.
        fingerprint: of the weight bundle.

    Raises:
        OSError: the run folder cannot be written.
    """
    files = read_run(run_dir)
    write_csv(files.rows, run_dir / "ledger.csv")
    write_parquet(files.rows, run_dir / "ledger.parquet")
    verdict = _verdict(files, config)
    ends = ends_by_index(files.events)
    summary: dict[str, Any] = {
        "run_id": run_id or run_dir.name,
        "name": config.name,
        "seed": config.seed,
        "scheme": config.scheme,
        "bundle": config.bundle,
        "fingerprint": fingerprint,
        "verdict": verdict.state,
        "exit_code": verdict.exit_code,
        "findings": verdict.findings + files.notes,
        "connections_compared": verdict.connections_compared,
        "roles": [dict(role) for role in roles],
        "requests": verdict.counts,
        "questions": _questions(files.workload, config),
        "failures": _failures(files.events),
        "faults": fault_timeline(files.events),
        "accuracy": accuracy(judge(files.workload, ends), config.seed),
        **bytes_and_uses(files.rows, config),
        "latency_ms": latency(files.events),
        "launch_to_first_answer_s": _to_first_answer_s(files.events, started_wall_s),
        "tokens": _tokens(files.events),
        "resources": resource_use(read_resources(run_dir)),
        "environment": environment(),
        "samples": sample_requests(files.workload, ends, run_dir),
    }
    _add_request_counts(summary["users"], files.events)
    path = run_dir / "summary.json"
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return summary


def bytes_and_uses(rows: Sequence[LedgerRow], config: RunConfig) -> dict[str, Any]:
    """The ledger's part of a summary: `users`, `unattributed`, `totals`, `links` and `drops`."""
    split = accounts(rows, config.users)
    users: list[dict[str, Any]] = []
    for user, account in enumerate(split.users):
        columns = _columns(account)
        shares = {f"{name}_share": columns.pop(name) for name in ("public_bytes", "public_uses")}
        users.append({"user": user, "snr_db": config.channel.snr_db_of(user), **shares, **columns})
    return {
        "users": users,
        "unattributed": _columns(split.unattributed),
        "totals": _columns(split.total),
        "links": _links(rows),
        "drops": _drops(rows),
    }


def latency(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Percentiles in milliseconds over requests with an answer, overall and `by_stage`."""
    overall: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event.get("event") not in ("ok", "degraded"):
            continue
        if isinstance(event.get("latency_ms"), int | float):
            overall.append(float(event["latency_ms"]))
        for stage, value in (event.get("stage_ms") or {}).items():
            stages[stage].append(float(value))
    by_stage = {stage: _percentiles(values) for stage, values in stages.items()}
    return {**_percentiles(overall), "answers": len(overall), "by_stage": by_stage}


def _verdict(files: RunFiles, config: RunConfig) -> Verdict:
    losses = [f.fault for f in config.channel.faults if f.fault in LOSSES and f.always]
    return check(
        files.events,
        files.rows,
        torn_lines=files.torn_lines,
        planned=len(files.workload) or None,
        whole_run_faults=losses,
        drain_s=None if config.chaos is None else config.chaos.drain_s,
    )


def ends_by_index(events: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Workload index -> terminal event."""
    ends: dict[int, Mapping[str, Any]] = {}
    for story in stories(events).values():
        index = None if story.invoke is None else story.invoke.get("index")
        if isinstance(index, int) and story.ends:
            ends[index] = story.ends[0]
    return ends


def _add_request_counts(users: list[dict[str, Any]], events: Sequence[Mapping[str, Any]]) -> None:
    for line in users:
        line["requests"] = dict.fromkeys(("attempted", *STATE_OF.values()), 0)
    for story in stories(events).values():
        if isinstance(story.user, int) and 0 <= story.user < len(users):
            counts = users[story.user]["requests"]
            counts["attempted"] += 1
            if story.state is not None:
                counts[story.state] += 1


def _failures(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Why requests got no answer: state, reason and how many, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for story in stories(events).values():
        if story.state in ("failed", "expired", "refused"):
            counts[story.state, str(story.ends[0].get("reason", ""))] += 1
    return [
        {"state": state, "reason": reason, "count": count}
        for (state, reason), count in counts.most_common(MAX_FAILURES)
    ]


def _questions(workload: Sequence[Mapping[str, Any]], config: RunConfig) -> dict[str, Any]:
    """Where the questions about images were asked, how many, and how many deliveries carried their images.

    `requests` counts deliveries, `accuracy` questions.
    """
    deliveries = [entry for entry in workload if entry.get("task") == "vqa"]
    return {
        "asked_at": config.question_at,
        "deliveries": len(deliveries),
        "questions": sum(len(entry.get("questions") or (entry,)) for entry in deliveries),
    }


def _columns(account: Account) -> dict[str, Any]:
    return asdict(account) | {"energy": round(account.energy, 3)}


def _links(rows: Iterable[LedgerRow]) -> list[dict[str, Any]]:
    """What every hop carried, relayed messages included, by direction and class, as its sender counted."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        key, values = row.key, row.values
        if key.outcome == "offered":
            numbers = (values.frames, values.wire_bytes, values.channel_uses)
            line = sums[key.hop, key.direction, key.klass]
            sums[key.hop, key.direction, key.klass] = [a + b for a, b in zip(line, numbers, strict=True)]
    return [
        {
            "hop": hop,
            "direction": way,
            "class": klass,
            "frames": n[0],
            "wire_bytes": n[1],
            "channel_uses": n[2],
        }
        for (hop, way, klass), n in sorted(sums.items())
    ]


def _drops(rows: Iterable[LedgerRow]) -> list[dict[str, Any]]:
    """What went no further, by place, class and reason."""
    sums: dict[tuple[str, str, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        key, values = row.key, row.values
        if key.outcome == "dropped":
            name = (
                key.hop,
                "ue" if key.end.startswith("ue-") else key.end,
                key.direction,
                key.klass,
                key.reason,
            )
            numbers = (values.frames, values.wire_bytes, values.channel_uses)
            sums[name] = [a + b for a, b in zip(sums[name], numbers, strict=True)]
    names = ("hop", "end", "direction", "class", "reason", "frames", "wire_bytes", "channel_uses")
    return [dict(zip(names, (*name, *n), strict=True)) for name, n in sorted(sums.items())]


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {f"p{p}": None for p in PERCENTILES}
    found = np.percentile(np.asarray(values), PERCENTILES)
    return {f"p{p}": round(float(v), 2) for p, v in zip(PERCENTILES, found, strict=True)}


def _to_first_answer_s(events: Sequence[Mapping[str, Any]], started_wall_s: float | None) -> float | None:
    """Seconds from the start to the first answer, by the wall clock: the processes share no other."""
    answers = [e["wall"] for e in events if e.get("event") in ("ok", "degraded") and "wall" in e]
    starts = [e["wall"] for e in events if "wall" in e] if started_wall_s is None else [started_wall_s]
    return round(max(0.0, min(answers) - min(starts)), 3) if answers and starts else None


def _tokens(events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Tokens sent, and how many were merged away, over all groups; and those the UEs generated."""
    sent = dict.fromkeys(("public_tokens", "private_tokens", "merged_tokens"), 0)
    generated = 0
    for event in events:
        if event.get("event") == "encoded":
            for name in sent:
                sent[name] += int(event.get(name, 0))
        elif event.get("event") in ("ok", "degraded"):
            generated += int(event.get("generated_tokens", 0))
    return {**sent, "generated_tokens": generated}
