"""`summary.json`, the ledger files and the report of a hand-made run, whole and cut short."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from rich.console import Console

from launch.live_table import LiveTable, human_bytes, human_count
from launch.report.page import ReportError, write_report
from launch.summary import write_results
from launch.summary_table import summary_view
from shared.config import RunConfig
from shared.config_file import load_config, parse_config
from tests.unit.launch.made_run import MadeRun

CONFIGS = Path(__file__).parents[3] / "launch" / "configs"
SUMMARY_KEYS = {
    "run_id", "seed", "scheme", "bundle", "roles", "requests", "accuracy", "users", "totals", "latency_ms",
    "verdict",
}  # fmt: skip
REQUEST_KEYS = {
    "attempted", "answered", "degraded", "failed", "expired", "refused", "late", "lost", "duplicated",
    "misdelivered",
}  # fmt: skip
BYTE_KEYS = {
    "private_bytes", "side_bytes", "control_bytes", "feedback_bytes", "retransmitted_bytes", "wire_bytes",
    "channel_uses",
}  # fmt: skip
ROLES = [
    {"role": "bs", "user": -1, "pid": 1, "host": "here"},
    {"role": "ue", "user": 0, "pid": 2, "host": "here"},
]


def config(**more: Any) -> RunConfig:
    return parse_config({"users": 3, "seed": 7, "channel": {"snr_db": [5, 10, 15]}, **more}, "test")


def workload(folder: Path, requests: int = 6) -> None:
    Image.new("RGB", (300, 200), (10, 90, 200)).save(folder / "picture.png")
    kinds = ("exist", "count", "query_color")
    lines = [
        {
            "index": i, "arrival_s": 0.0, "user": i % 3, "task": "vqa", "text": f"what is <b>{i}</b>?",
            "image": str(folder / "picture.png"), "expected": "red" if i % 2 else "blue",
            "kind": kinds[i % 3], "family": "zero_hop", "sample_id": f"s{i}",
        }
        for i in range(requests)
    ]  # fmt: skip
    (folder / "workload.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def made(tmp_path: Path) -> MadeRun:
    workload(tmp_path)
    run = MadeRun(tmp_path).run(lost_for=(1,))
    run.write_journal()
    return run


def faulty() -> RunConfig:
    return config(channel={"snr_db": [5, 10, 15], "faults": [{"fault": "loss", "probability": 0.1}]})


def test_the_summary_has_what_scripts_rely_on(made: MadeRun) -> None:
    summary = write_results(made.folder, faulty(), ROLES, run_id="r1", started_wall_s=999.0)
    assert json.loads((made.folder / "summary.json").read_text()) == summary
    assert summary.keys() >= SUMMARY_KEYS
    assert (summary["run_id"], summary["seed"], summary["verdict"]) == ("r1", 7, "valid")
    assert summary["requests"].keys() >= REQUEST_KEYS
    assert summary["questions"] == {"asked_at": "bs", "deliveries": 6, "questions": 6}
    assert summary["roles"] == ROLES
    assert [u["snr_db"] for u in summary["users"]] == [5.0, 10.0, 15.0]
    for line in summary["users"]:
        assert line.keys() >= {"user", "snr_db", "public_bytes_share", *BYTE_KEYS}
        assert "public_bytes" not in line
        assert line["requests"]["answered"] == 2
    assert summary["totals"].keys() >= {"public_bytes", *BYTE_KEYS}
    for key in BYTE_KEYS:
        parts = [u[key] for u in summary["users"]] + [summary["unattributed"][key]]
        assert all(isinstance(part, int) for part in parts)
        assert sum(parts) == summary["totals"][key]
    assert sum(u["public_bytes_share"] for u in summary["users"]) == summary["totals"]["public_bytes"]
    assert summary["users"][1]["retransmitted_bytes"] > 0 == summary["users"][0]["retransmitted_bytes"]
    assert summary["drops"][-1] == {
        "hop": "ce-ue", "end": "ce", "direction": "down", "class": "public", "reason": "loss", "frames": 1,
        "wire_bytes": summary["drops"][-1]["wire_bytes"], "channel_uses": 160,
    }  # fmt: skip


def test_accuracy_latency_and_first_answer(made: MadeRun) -> None:
    summary = write_results(made.folder, faulty(), ROLES, started_wall_s=999.0)
    vqa = summary["accuracy"]["vqa"]
    assert (vqa["correct"], vqa["total"]) == (3, 6)  # all say red
    assert vqa["control"]["correct"] == 3  # erased, all say blue
    assert vqa["gain"]["points"] == 0.0
    assert summary["latency_ms"]["p50"] == pytest.approx(42.5)
    assert summary["latency_ms"]["by_stage"]["encode"] == {"p50": 10.0, "p95": 10.0, "p99": 10.0}
    first = next(e["wall"] for e in made.events if e["event"] == "ok")
    assert summary["launch_to_first_answer_s"] == pytest.approx(first - 999.0, abs=1e-3)


def test_requests_count_deliveries_and_accuracy_counts_questions(made: MadeRun) -> None:
    path = made.folder / "workload.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    for entry in entries:
        asked = {name: entry.pop(name) for name in ("text", "expected", "kind", "family", "sample_id")}
        entry |= {"text": "", "question_at": "ue", "questions": [asked, asked | {"expected": "green"}]}
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    for event in made.events:
        if event["event"] in ("ok", "ue_answer"):
            event["later"] = [["green", None]]
    made.write_journal()
    summary = write_results(made.folder, faulty().model_copy(update={"question_at": "ue"}), ROLES)
    assert summary["verdict"] == "valid"
    assert summary["requests"]["answered"] == 6
    assert summary["questions"] == {"asked_at": "ue", "deliveries": 6, "questions": 12}
    vqa = summary["accuracy"]["vqa"]
    assert (vqa["correct"], vqa["total"]) == (9, 12)
    assert {sample["expected"] for sample in summary["samples"]} == {"red", "blue", "green"}
    console = Console(width=100, record=True, file=(made.folder / "out").open("w"))
    console.print(summary_view(summary))
    assert "12 asked at the UEs about 6 deliveries of an image" in console.export_text()
    assert "questions asked at the UEs" in write_report(made.folder).read_text()


def test_reasons_of_failures_are_listed(made: MadeRun) -> None:
    for event in [e for e in made.events if e["event"] == "ok"][:2]:
        event |= {"event": "fail", "reason": "ue: out of tokens"}
    made.write_journal()
    summary = write_results(made.folder, faulty(), ROLES)
    assert summary["failures"] == [{"state": "failed", "reason": "ue: out of tokens", "count": 2}]
    console = Console(width=100, record=True, file=(made.folder / "out").open("w"))
    console.print(summary_view(summary))
    assert "2 failed: ue: out of tokens" in console.export_text()
    assert "ue: out of tokens" in write_report(made.folder).read_text()


def test_faults_are_told_with_their_times(tmp_path: Path) -> None:
    workload(tmp_path)
    run = MadeRun(tmp_path).run()
    run.event("agent", "fault", what="begin", fault="kill.0", on="bs", strikes=0)
    run.event("agent", "fault", what="end", fault="kill.0", on="bs", strikes=1, ready_after_s=0.25)
    run.write_journal()
    summary = write_results(tmp_path, config(), ROLES)
    (line,) = summary["faults"]
    assert (line["fault"], line["on"], line["strikes"], line["ready_after_s"]) == ("kill.0", "bs", 1, 0.25)
    console = Console(width=200, record=True)
    console.print(summary_view(summary))
    for text in (console.export_text(), write_report(tmp_path).read_text()):
        assert "kill.0" in text
        assert "ready after" in text


def test_the_ledger_files_agree(made: MadeRun) -> None:
    write_results(made.folder, faulty(), ROLES)
    with (made.folder / "ledger.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(made.folder / "ledger.parquet").to_pylist()
    assert [int(r["wire_bytes"]) for r in rows] == [r["wire_bytes"] for r in table]
    assert sum(int(r["wire_bytes"]) for r in rows) == sum(row.values.wire_bytes for row in made.rows())


def test_a_run_cut_short_gives_a_whole_summary(tmp_path: Path) -> None:
    workload(tmp_path)
    run = MadeRun(tmp_path).run()
    del run.events[-8:]
    run.write_journal()
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"t": 1.0, "wal')
    (tmp_path / "counters" / "broken.bin").write_bytes(b"x" * 64)
    summary = write_results(tmp_path, config(), ROLES)
    assert summary["verdict"] == "unknown"
    assert summary.keys() >= SUMMARY_KEYS
    assert any("torn journal" in line for line in summary["findings"])
    assert any("broken.bin" in line for line in summary["findings"])
    assert write_report(tmp_path).stat().st_size > 5_000


def test_a_run_that_never_began_gives_a_whole_summary(tmp_path: Path) -> None:
    summary = write_results(tmp_path, config(), [])
    assert (summary["verdict"], summary["exit_code"]) == ("unknown", 3)
    assert summary["latency_ms"]["p50"] is None
    assert summary["accuracy"] == {}
    assert any("journal cannot be read" in line for line in summary["findings"])
    assert write_report(tmp_path).is_file()
    Console(file=(tmp_path / "out").open("w"), width=100).print(summary_view(summary))


def test_the_report_is_one_file_and_needs_the_run_folder_alone(made: MadeRun) -> None:
    write_results(made.folder, faulty(), ROLES)
    (made.folder / "picture.png").unlink()
    page = write_report(made.folder).read_text()
    assert page.count("data:image/jpeg;base64,") == 6
    assert page.count("<svg") == 5
    for loaded in ('src="http', "<script", "<link", "@import", "url(http"):
        assert loaded not in page
    assert "&lt;b&gt;0&lt;/b&gt;" in page
    assert "<b>0</b>?" not in page
    first = page
    assert write_report(made.folder).read_text() == first


def test_a_folder_that_is_no_run_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no summary\.json"):
        write_report(tmp_path)
    (tmp_path / "summary.json").write_text('{"verdict": "valid"}')
    with pytest.raises(ReportError, match="expected a summary of this version"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_tables_fit_and_hold_every_number(made: MadeRun, width: int) -> None:
    summary = write_results(made.folder, faulty(), ROLES)
    console = Console(width=width, record=True, file=(made.folder / "out").open("w"))
    console.print(summary_view(summary))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= width
    if width >= 100:
        for line in summary["users"]:
            assert f"{line['wire_bytes']:,}" in text
    assert "valid" in text


def test_the_live_table_follows_progress_and_counters(made: MadeRun) -> None:
    now_s = [100.0]
    table = LiveTable(config(), "run-1", planned=6, clock=lambda: now_s[0])
    now_s[0] = 107.4
    table.update(
        {
            "answered": 4, "expired": 1, "attached": 3, "user.0.attached": True, "user.1.answered": 4,
            "user.1.question": "what color is the large\ncube?", "user.1.answer": "red",
        },
        phase="asking",
    )  # fmt: skip
    table.update_from(made.folder)
    console = Console(width=110, record=True, file=(made.folder / "out").open("w"))
    console.print(table)
    text = console.export_text()
    assert "run-1" in text
    assert "5 of 6 requests · 7 s" in text
    assert "what color is the large cube? → red" in text
    assert "waiting" in text
    wire = sum(v.wire_bytes for k, v in made.rows() if k.outcome == "offered" and k.end == "ue-1")
    assert wire > 0
    assert human_bytes(table._users[1].wire_bytes) in text


def test_many_users_do_not_flood_the_terminal() -> None:
    table = LiveTable(parse_config({"users": 500}, "test"), "run-1")
    console = Console(width=100, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(table)
    assert len(captured.get().splitlines()) < 36
    assert "and 476 more users" in captured.get()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (99_949, "99.9 kB"), (999_600, "1.00 MB")],
)
def test_human_bytes(count: int, text: str) -> None:
    assert human_bytes(count) == text


def test_human_count() -> None:
    assert (human_count(12), human_count(12_345)) == ("12", "12.3 k")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_are_whole_runs(path: Path) -> None:
    found = load_config(path)
    assert found.name == path.stem
    assert found.workload.requests >= 16
    assert found.users >= (4 if found.bundle == "micro" else 1)
