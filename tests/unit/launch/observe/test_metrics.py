"""Prometheus' view of a run: the ledger's numbers under names that its own parser takes."""

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from launch.observe.histogram import BOUNDS_S, Histogram
from launch.observe.metrics import exposition
from launch.observe.watch import RunWatch
from launch.runfolder import create_run_folder
from shared.config import RunConfig
from tests.unit.launch.made_run import MadeRun

GRAFANA = Path(__file__).parents[4] / "launch" / "dashboard" / "grafana.json"


@pytest.fixture
def watch(tmp_path: Path) -> RunWatch:
    run = MadeRun(create_run_folder(RunConfig(users=3, name="a"), tmp_path / "run"))
    run.run(lost_for=(1,))
    run.event("ue", "ue_air", 2, request_id="r000005", snr_db=10.0, received_db=7.5)
    run.event("bs", "invoke", 0, request_id="later", task="vqa", index=9)
    run.write_journal()
    return RunWatch(run.folder)


def samples_of(watch: RunWatch) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    watch.refresh()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition(watch).decode())
        for sample in family.samples
    }


def test_the_bytes_of_every_user_and_nobody_are_the_ledgers(watch: RunWatch) -> None:
    found = samples_of(watch)
    wire = {labels: value for (name, labels), value in found.items() if name == "m4sc_wire_bytes_total"}
    assert sum(wire.values()) == watch.numbers["totals"]["wire_bytes"]
    for line in watch.numbers["users"]:
        own = sum(value for labels, value in wire.items() if dict(labels)["user"] == str(line["user"]))
        assert own == line["wire_bytes"]
        uses = [
            value
            for (name, labels), value in found.items()
            if name == "m4sc_channel_uses_total" and dict(labels)["user"] == str(line["user"])
        ]
        assert sum(uses) == line["channel_uses"]
    dropped = sum(value for (name, _), value in found.items() if name == "m4sc_dropped_messages_total")
    assert dropped == sum(line["frames"] for line in watch.numbers["drops"]) > 0


def test_requests_latencies_and_the_air_are_the_journals(watch: RunWatch) -> None:
    found = samples_of(watch)
    assert found["m4sc_requests_total", (("state", "answered"),)] == 6
    assert found["m4sc_open_requests", (("phase", "waiting"),)] == 1
    assert found["m4sc_request_latency_seconds_count", ()] == 6
    assert found["m4sc_request_latency_seconds_sum", ()] == pytest.approx(6 * 0.040 + 0.015)
    assert found["m4sc_stage_latency_seconds_sum", (("stage", "decode"),)] == pytest.approx(6 * 0.020)
    assert found["m4sc_received_snr_db", (("user", "2"),)] == 7.5
    assert found["m4sc_process_up", (("process", "bs"),)] == 1
    assert found["m4sc_process_up", (("process", "ce"),)] == 0


def test_what_grafana_draws_is_there(watch: RunWatch) -> None:
    """Every metric that a panel names is one of the exposition's."""
    dashboard = json.loads(GRAFANA.read_text())
    names = {name for name, _ in samples_of(watch)}
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) >= 10
    for expression in expressions:
        assert set(re.findall(r"m4sc_[a-z_]+", expression)) <= names, expression
    places = [tuple(panel["gridPos"][key] for key in "xy") for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)


def test_a_histogram_counts_what_is_at_most_each_bound() -> None:
    histogram = Histogram()
    for seconds in (0.001, 0.0011, 0.2, 99.0):
        histogram.observe(seconds)
    cumulative = dict(histogram.cumulative())
    assert (cumulative["0.001"], cumulative["0.0025"], cumulative["0.25"]) == (1, 2, 3)
    assert cumulative[str(BOUNDS_S[-1])] == 3
    assert cumulative["+Inf"] == histogram.count == 4
    assert histogram.sum_s == pytest.approx(99.2021)
