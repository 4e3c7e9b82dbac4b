"""A run folder that is looked at while it is written: the same numbers as its summary has in the end."""

import json
from pathlib import Path

import pytest
from PIL import Image

from launch.observe.replay import Replay
from launch.observe.watch import RunWatch
from launch.runfolder import create_run_folder
from launch.summary import bytes_and_uses, write_results
from launch.thumbnails import asked_picture, keep_asked
from shared.config import RunConfig
from shared.config_file import ConfigError
from tests.unit.launch.made_run import MadeRun


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def run(tmp_path: Path) -> MadeRun:
    folder = create_run_folder(RunConfig(users=3), tmp_path / "run")
    (folder / "journal.jsonl").touch()
    entries = [
        {"index": i, "user": i % 3, "task": "vqa", "text": f"question {i}", "expected": "red"}
        for i in range(6)
    ]
    (folder / "workload.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return MadeRun(folder)


def test_what_a_reader_that_went_away_had_read_is_taken_over_in_its_order(
    run: MadeRun,
) -> None:
    clock = Clock()
    watch = RunWatch(run.folder, clock)
    run.run()
    run.write_journal()
    whole = (run.folder / "journal.jsonl").read_bytes()
    half = whole.index(b"\n", len(whole) // 2) + 1
    (run.folder / "journal.jsonl").write_bytes(whole[:half])
    watch.read()
    assert len(watch.state.requests) == 0, "read, and not yet taken over"
    (run.folder / "journal.jsonl").write_bytes(whole)
    clock.now_s += 1.0
    watch.read()
    watch.take()
    at_once = RunWatch(run.folder, clock)
    at_once.refresh()
    assert watch.state.requests.counts() == at_once.state.requests.counts()
    assert watch.state.requests.counts()["answered"] == watch.planned == 6


def test_what_is_seen_in_the_end_is_the_summary(run: MadeRun) -> None:
    clock = Clock()
    watch = RunWatch(run.folder, clock)
    watch.refresh()
    assert (watch.finished, len(watch.state.requests), watch.planned) == (False, 0, None)
    run.run()
    run.write_journal()
    watch.refresh()
    assert len(watch.state.requests) == 0, "the last look was just now"
    clock.now_s += 1.0
    watch.refresh()
    assert watch.state.requests.counts()["answered"] == watch.planned == 6
    assert watch.numbers == bytes_and_uses(run.rows(), watch.config)
    clock.now_s += 1.0
    summary = write_results(run.folder, watch.config, [])
    watch.refresh()
    assert watch.finished
    assert watch.summary == json.loads((run.folder / "summary.json").read_text())
    for key in ("totals", "unattributed", "links", "drops"):
        assert watch.numbers[key] == summary[key]
    view = watch.state.requests.get("r000004")
    assert view is not None
    assert (watch.question_of(view), watch.expected_of(view), watch.picture_of(view)) == (
        "question 4",
        "red",
        None,
    )


def test_an_earlier_moment_can_be_seen_again(run: MadeRun) -> None:
    run.run()
    run.write_journal()
    watch = RunWatch(run.folder)
    watch.refresh()
    replay = Replay(run.folder, watch.config.users)
    end = next(e for e in run.events if e["event"] == "ok" and e["request_id"] == "r000002")
    for _ in range(2):  # forward, and back from the end
        then = replay.seek(end["t"])
        assert then.requests.counts() == {**dict.fromkeys(then.requests.counts(), 0), "answered": 3}
        assert replay.seek(end["t"]) is then
        assert replay.seek(watch.state.last_s).requests.counts() == watch.state.requests.counts()


def test_the_picture_of_what_was_asked_from_outside_is_found_by_its_key(run: MadeRun, tmp_path: Path) -> None:
    Image.new("RGB", (500, 400), "red").save(tmp_path / "big.png")
    data = (tmp_path / "big.png").read_bytes()
    keep_asked(run.folder, data)
    keep_asked(run.folder, b"no image")
    keep_asked(run.folder, b"")
    (kept,) = (run.folder / "thumbnails").iterdir()
    key = kept.stem.removeprefix("asked-")
    run.event(
        "bs", "invoke", 0, request_id="q", task="vqa", index=None, ask_id="ask-1", text="why?", image=key
    )
    run.write_journal()
    watch = RunWatch(run.folder)
    watch.refresh()
    view = watch.state.requests.get("q")
    assert view is not None
    assert watch.picture_of(view) == asked_picture(run.folder, key) == kept
    assert watch.question_of(view) == "why?"
    with Image.open(kept) as picture:
        assert max(picture.size) == 240


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        RunWatch(tmp_path)
