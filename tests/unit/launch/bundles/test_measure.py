"""Measuring: every run once, what is there already counts, and nothing foreign is taken for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from launch.bundles.measure import MEASUREMENTS, Measurement, measure
from launch.bundles.rerun import DataSets
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.runfolder import SUMMARY_FILE, create_run_folder
from shared.config import RunConfig
from shared.config_file import load_config
from shared.semantic.bundle import Bundle, save_bundle
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer

TWO = (
    Measurement("vqa_heldout", (), (("plain", "accuracy.vqa"), ("erased", "accuracy.vqa.control"))),
    Measurement("vqa_heldout", ("channel.snr_db=0",), (("noisy", "accuracy.vqa"),)),
)


class Runs:
    """Run folders as a run leaves them, with one figure; the runs themselves are tested elsewhere."""

    def __init__(self, fingerprint: str, fail_at: int = 99) -> None:
        self.fingerprint, self.fail_at = fingerprint, fail_at
        self.done: list[float] = []

    def __call__(self, config: RunConfig, place: Path) -> dict[str, Any]:
        if len(self.done) == self.fail_at:
            raise LaunchError("stopped")
        create_run_folder(config, place)
        snr_db = config.channel.snr_db_of(0)
        share = {"accuracy": 0.5 + snr_db / 100, "interval95": [0.4, 0.9], "total": 30}
        summary = {
            "fingerprint": self.fingerprint,
            "verdict": "valid",
            "accuracy": {"vqa": {**share, "control": share}},
        }
        (place / SUMMARY_FILE).write_text(json.dumps(summary), encoding="utf-8")
        self.done.append(snr_db)
        return summary


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measure") / "tiny"
    return save_bundle(path, tiny_model(tiny_config()), tiny_tokenizer(), "# tiny\n").path


@pytest.fixture
def sets(tmp_path: Path) -> DataSets:
    (tmp_path / "data" / "clevr-style-heldout").mkdir(parents=True)
    return DataSets(tmp_path / "data")


def test_a_stopped_measurement_goes_on(bundle: Path, sets: DataSets, tmp_path: Path) -> None:
    fingerprint, keep, lines = Bundle.load(bundle).fingerprint, tmp_path / "runs", list[str]()
    with pytest.raises(LaunchError, match="stopped"):
        measure(bundle, sets, keep, lines.append, TWO, Runs(fingerprint, fail_at=1))
    rest = Runs(fingerprint)
    entries = measure(bundle, sets, keep, lines.append, TWO, rest)
    assert rest.done == [0.0], "the first run was there"
    assert [(e.name, e.value, e.n) for e in entries] == [
        ("plain", 0.6, 30),
        ("erased", 0.6, 30),
        ("noisy", 0.5, 30),
    ]
    assert entries[2].command == "m4sc run vqa_heldout --set channel.snr_db=0"


def test_runs_of_other_weights_or_configurations_do_not_count(
    bundle: Path, sets: DataSets, tmp_path: Path
) -> None:
    fingerprint, keep = Bundle.load(bundle).fingerprint, tmp_path / "runs"
    measure(bundle, sets, keep, lambda line: None, TWO, Runs("0" * 64))
    again = Runs(fingerprint)
    measure(bundle, sets, keep, lambda line: None, TWO, again)
    assert len(again.done) == 2, "those were of other weights"
    (keep / TWO[0].label).rename(keep / "aside")
    (keep / TWO[1].label).rename(keep / TWO[0].label)
    again = Runs(fingerprint)
    measure(bundle, sets, keep, lambda line: None, TWO, again)
    assert len(again.done) == 2, "one was of another configuration, one was not there"
    foreign = tmp_path / "mine"
    (foreign / TWO[0].label).mkdir(parents=True)
    (foreign / TWO[0].label / "notes.txt").write_text("keep me")
    with pytest.raises(LaunchError, match="not a run folder"):
        measure(bundle, sets, foreign, lambda line: None, TWO, Runs(fingerprint))


def test_missing_data_is_said_before_anything_runs(bundle: Path, sets: DataSets, tmp_path: Path) -> None:
    runs = Runs(Bundle.load(bundle).fingerprint)
    reviews = Measurement("imdb_file", (), (("reviews", "accuracy.text_classification"),))
    with pytest.raises(LaunchError, match="imdb_file: needs --imdb"):
        measure(bundle, sets, tmp_path / "runs", lambda line: None, (*TWO, reviews), runs)
    assert runs.done == []


def test_the_card_s_runs_are_configurations_that_can_be_loaded() -> None:
    labels = [m.label for m in MEASUREMENTS]
    assert len(set(labels)) == len(labels)
    for wanted in MEASUREMENTS:
        load_config(find_config(wanted.config), wanted.overrides)
    names = [name for m in MEASUREMENTS for name, _ in m.figures]
    assert len(set(names)) == len(names)
