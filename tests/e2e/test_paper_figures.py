"""`m4sc experiment fig5` in short, with a scheme that nothing but this test knows, under faults."""

import csv
import json

import pytest

from tests.e2e.helpers import Workplace
from tests.unit.launch.training.tiny import plain_pictures

pytestmark = pytest.mark.timeout(500)
OWN = "docs.examples.plain_scheme"
FAULTS = '[{"fault": "loss", "probability": 0.5}, {"fault": "duplicate", "probability": 1.0}]'


def test_a_scheme_that_no_process_knows_has_its_curve_ledger_journal_faults_and_report(
    real: Workplace,
) -> None:
    plain_pictures(real.folder / "clevr-style-heldout", "heldout", 4)
    options = ("experiment", "fig5", "--out", "f", "--snr", "20", "--fading", "none", "--together", "none")
    options += ("--points", f"16x4,{OWN}", "--requests", "8", "--data", str(real.folder), "--json")
    options += ("--set", f"channel.faults={FAULTS}", "--set", "retransmission.max_attempts=12")
    options += ("--set", "cluster.start_timeout_s=180")
    done = real.run(*options, timeout_s=480)
    assert done.returncode == 0, done.stderr
    assert "Left out: deepsc_vqa" in done.stderr
    own, plain = json.loads(done.stdout)
    assert [(row["scheme"], row["attempted"]) for row in (own, plain)] == [("m4sc", 8), (OWN, 8)]
    assert f"--set scheme={OWN}" in plain["command"]

    folder = real.folder / "f" / "vqa-awgn" / "rows" / plain["row"]
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    said = {event["index"]: event["text"] for event in _ends(events)}
    asked = [json.loads(line) for line in (folder / "workload.jsonl").read_text().splitlines()]
    assert said == {entry["index"]: entry["text"][::-1] for entry in asked}, (
        "spelt backwards, as that scheme does"
    )
    with (folder / "ledger.csv").open() as file:
        ledger = list(csv.DictReader(file))
    assert {"loss"} <= {line["reason"] for line in ledger if line["outcome"] == "dropped"}
    assert json.loads((folder / "summary.json").read_text())["verdict"] == "valid"
    assert OWN in (folder / "report.html").read_text()
    assert OWN in (real.folder / "f" / "fig5.html").read_text()
    assert (real.folder / "f" / "fig5.png").stat().st_size > 20_000


def _ends(events: list[dict[str, object]]) -> list[dict[str, object]]:
    """Answers with their place in the workload."""
    index = {event["request_id"]: event["index"] for event in events if event["event"] == "invoke"}
    return [{**event, "index": index[event["request_id"]]} for event in events if event["event"] == "ok"]


def test_bad_input_is_one_line(real: Workplace) -> None:
    for options, message in (
        (("fig5", "--points", "webp_ldpc:18"), "--points webp_ldpc:18: expected q0 to q100"),
        (("fig5", "--fading", "some"), "--fading some: expected numbers"),
        (("fig6", "--overlap", "2"), "--overlap 2: expected numbers from 0 to 1"),
        (("ldpc", "--schemes", "12"), "--schemes 12: expected numbers from 0 to 11"),
    ):
        done = real.run("experiment", *options, "--out", "x")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert message in done.stderr
        assert not (real.folder / "x").exists()
