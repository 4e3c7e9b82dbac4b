"""What the page shows of a run made by hand: exact numbers, whole HTML, everything from outside escaped."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from launch.dashboard.scene import Scene, headline
from launch.dashboard.views import charts
from launch.dashboard.views.faults import faults_html
from launch.dashboard.views.request import request_html
from launch.dashboard.views.tables import bytes_html, counts_html, drops_html, events_html
from launch.dashboard.views.topology import Rates, topology_html
from launch.observe.watch import RunWatch
from launch.runfolder import create_run_folder
from launch.summary import write_results
from shared.config import RunConfig
from tests.unit.launch.made_run import MadeRun

HOSTILE = '<script>alert("x")</script>'
_VOID = {"img", "br", "input", "meta", "link", "path"}


class Reader(HTMLParser):
    """The text of a page's cells, and whether every element that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def whole(text: str) -> Reader:
    reader = Reader(text)
    assert reader.open == []
    assert "script" not in reader.tags
    return reader


@pytest.fixture
def run(tmp_path: Path) -> MadeRun:
    folder = create_run_folder(RunConfig(users=3), tmp_path / "run")
    entries = [
        {"index": i, "user": i % 3, "task": "vqa", "text": f"{HOSTILE} {i}", "expected": "red"}
        for i in range(6)
    ]
    (folder / "workload.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    run = MadeRun(folder)
    run.run(lost_for=(1,))
    run.event("ce", "fault", what="begin", fault="loss.0", strikes=0)
    run.event("ce", "fault", what="end", fault="loss.0", strikes=3)
    run.event("agent", "fault", what="begin", fault="pause.0", on="ue-1", strikes=0)
    run.event("bs", "tokens", 2, request_id="r000005", digest="d" * 32, image_tokens="2D1P1V")
    run.event("ue", "ue_tokens", 2, request_id="r000005", digest="d" * 32, image_tokens="2D1E1V")
    run.event(
        "ue", "ue_air", 2, request_id="r000005", snr_db=10.0, received_db=7.5,
        received=[[1.0, -2.26]], equalised=[[0.5, -1.0]],
    )  # fmt: skip
    run.write_journal()
    return run


def scene_of(run: MadeRun) -> Scene:
    watch = RunWatch(run.folder)
    watch.refresh()
    return Scene(watch, watch.state, latest=True)


def test_the_table_has_the_ledgers_bytes(run: MadeRun) -> None:
    scene = scene_of(run)
    words = whole(bytes_html(scene)).words
    for user in scene.watch.numbers["users"]:
        assert f"{user['wire_bytes']:,}" in words
        assert f"{user['public_bytes_share']:,}" in words
    assert f"{scene.watch.numbers['totals']['channel_uses']:,}" in words
    assert "loss" in whole(drops_html(scene)).words


def test_of_an_earlier_moment_the_bytes_are_said_to_be_the_whole_runs(run: MadeRun) -> None:
    scene = scene_of(run)
    then = Scene(scene.watch, scene.state, latest=False)
    assert "whole run" in bytes_html(then)
    assert "whole run" not in bytes_html(scene)
    assert headline(then).startswith("at ")


def test_the_headline_says_how_far_the_run_is_and_in_the_end_its_verdict(run: MadeRun) -> None:
    assert headline(scene_of(run)) == "running: 6 of 6 requests ended"
    summary = write_results(run.folder, RunConfig(users=3), [])
    assert headline(scene_of(run)) == f"{summary['verdict']}: 6 of 6 answered"
    assert "<b>6</b><span>answered</span>" in counts_html(scene_of(run))


def test_every_process_has_a_card_and_what_comes_from_outside_is_escaped(run: MadeRun) -> None:
    scene = scene_of(run)
    text = topology_html(scene, Rates())
    words = " ".join(whole(text).words)
    assert text.count("data-role=") == 5
    assert "paused" in words
    assert HOSTILE[:40] in words, "shown as text"
    whole(events_html(scene))


def test_rates_are_bytes_between_two_looks_over_the_time() -> None:
    rates = Rates()
    line = {"hop": "bs-ce", "direction": "down", "wire_bytes": 1_000}
    rates.update({"links": [line]}, 10.0)
    rates.update({"links": [{**line, "wire_bytes": 3_000}]}, 12.0)
    assert rates.per_s == {("bs-ce", "down"): 1_000.0}


def test_a_request_is_shown_with_its_tokens_and_its_times(run: MadeRun) -> None:
    scene = scene_of(run)
    view = scene.state.requests.get("r000005")
    assert view is not None
    text = request_html(scene, view, "picture/r000005")
    words = " ".join(whole(text).words)
    for said in ("answered", "red", "1 erased", "1 private", "2 dropped", "decode 20.0 ms", "7.5 dB"):
        assert said in words
    assert 'src="picture/r000005"' in text
    assert "<img" not in request_html(scene, view, None)


def test_faults_are_bars_and_numbers_and_one_that_goes_on_is_open(run: MadeRun) -> None:
    text = faults_html(scene_of(run))
    words = whole(text).words
    assert {"loss.0", "pause.0 ue-1", "3"} <= set(words)
    assert text.count('class="fault going"') == 1
    assert text.count('class="fault"') == 1


def test_charts_are_plain_data_with_patterns_beside_colours(run: MadeRun) -> None:
    scene = scene_of(run)
    view = scene.state.requests.get("r000005")
    drawn = [
        charts.bytes_chart(scene), charts.uses_chart(scene), charts.snr_chart(scene),
        charts.latency_chart(scene), charts.constellation_chart(view), charts.constellation_chart(None),
        charts.progress_chart(scene),
    ]  # fmt: skip
    for options in drawn:
        json.dumps(options, allow_nan=False)
        assert options["aria"]["decal"]["show"]
    for chart, column in ((drawn[0], "wire_bytes"), (drawn[1], "channel_uses")):
        for user, line in enumerate(scene.watch.numbers["users"]):
            assert sum(series["data"][user] for series in chart["series"]) == line[column]
    assert drawn[4]["series"][0]["data"] == [[1.0, -2.26]]
    assert drawn[4]["xAxis"]["max"] == -drawn[4]["yAxis"]["min"] == 2.5
    assert len(drawn[3]["series"][0]["data"]) == 6
