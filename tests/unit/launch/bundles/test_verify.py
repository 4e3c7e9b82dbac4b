"""Verifying: what differs is found, what cannot be measured here is said."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from launch.bundles.card import CardEntry, write_card
from launch.bundles.rerun import DataSets, NoData, RunFailed, run_config
from launch.bundles.verify import verify
from shared.config import RunConfig
from shared.semantic.bundle import BundleError, save_bundle
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer

NOTHING = DataSets()


def entry(name: str, config: str = "vqa_heldout", **changes: Any) -> CardEntry:
    fields = {"metric": "accuracy.vqa.macro", "value": 0.788, "low": 0.756, "high": 0.817, "n": 480}
    return CardEntry(name=name, config=config, **{**fields, **changes})


class Runs:
    """In place of real runs: one figure for everything."""

    def __init__(self, value: float = 0.79, total: int = 480) -> None:
        self.figure = {"accuracy": value, "interval95": [value, value], "total": total}
        self.configs: list[RunConfig] = []

    def __call__(self, config: RunConfig, run_dir: Path) -> dict[str, Any]:
        self.configs.append(config)
        return {"accuracy": {"vqa": {"macro": self.figure, "control": {"macro": self.figure}}}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "tiny"
    return save_bundle(path, tiny_model(tiny_config()), tiny_tokenizer(), "# tiny\n").path


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tiny"))


@pytest.fixture
def data(tmp_path: Path) -> DataSets:
    (tmp_path / "data" / "clevr-style-heldout").mkdir(parents=True)
    return DataSets(tmp_path / "data")


def test_a_number_within_its_interval_agrees(bundle: Path, data: DataSets) -> None:
    write_card(bundle, [entry("one"), entry("control", metric="accuracy.vqa.control.macro")])
    runs = Runs()
    report = verify(bundle, data, quick=False, run=runs)
    assert report.ok
    assert [r.status for r in report.results] == ["within interval"] * 2
    (config,) = runs.configs  # one run for both
    assert config.bundle == str(bundle)
    assert config.workload.root == str(data.data / "clevr-style-heldout" if data.data else "")
    told = report.to_json()["entries"][0]
    assert told["recorded"] == {"value": 0.788, "low": 0.756, "high": 0.817, "n": 480}
    assert told["found"]["value"] == 0.79


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        (Runs(value=0.82), "outside interval"),
        (Runs(value=0.75), "outside interval"),
        (Runs(total=479), "failed: measured on 479 requests, the card says 480"),
    ],
)
def test_a_number_that_differs_is_found(bundle: Path, data: DataSets, runs: Runs, status: str) -> None:
    write_card(bundle, [entry("one")])
    report = verify(bundle, data, quick=False, run=runs)
    assert not report.ok
    assert report.results[0].status == status


def test_runs_that_fail_and_figures_that_are_missing_are_found(bundle: Path, data: DataSets) -> None:
    def fails(config: RunConfig, run_dir: Path) -> dict[str, Any]:
        raise RunFailed("the run's verdict is invalid (exit code 1)")

    write_card(bundle, [entry("one")])
    assert verify(bundle, data, quick=False, run=fails).results[0].status.startswith("failed: the run's")
    write_card(bundle, [entry("one", metric="accuracy.caption")])
    assert "no such figure" in verify(bundle, data, quick=False, run=Runs()).results[0].status


def test_what_has_no_data_is_skipped(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_card(bundle, [entry("folder", "clevr_folder"), entry("reviews", "imdb_file")])
    runs = Runs()
    report = verify(bundle, NOTHING, quick=False, run=runs)
    assert [r.status for r in report.results] == ["skipped: needs --data", "skipped: needs --imdb"]
    assert report.ok
    assert not runs.configs


def test_data_is_found_where_it_is_said_to_be(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "sets" / "clevr").mkdir(parents=True)
    (tmp_path / "sets" / "clevr" / "scenes.json").touch()
    (tmp_path / "dev.jsonl").touch()
    for folder in (tmp_path / "sets", tmp_path / "sets" / "clevr"):
        config = run_config(bundle, "clevr_folder", (), DataSets(folder))
        assert config.workload.root == str(tmp_path / "sets" / "clevr")
    reviews = run_config(bundle, "imdb_file", (), DataSets(imdb=tmp_path / "dev.jsonl"))
    assert reviews.workload.root == str(tmp_path / "dev.jsonl")
    with pytest.raises(NoData, match="requests file"):
        run_config(bundle, "demo", ("workload.source=requests_file", "workload.root=none"), NOTHING)


def test_scenes_that_can_be_rendered_need_no_data(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("M4SC_DATA_DIR", raising=False)
    assert run_config(bundle, "vqa_heldout", (), NOTHING).workload.root is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoData, match="--data with clevr-style-heldout in it"):
        run_config(bundle, "vqa_heldout", (), NOTHING)


def test_quick_runs_nothing(bundle: Path) -> None:
    write_card(bundle, [entry("one")])
    runs = Runs()
    report = verify(bundle, NOTHING, quick=True, run=runs)
    assert report.ok
    assert report.results[0].status == "not run (--quick)"
    assert not runs.configs


def test_damage_is_the_report_and_no_error(bundle: Path) -> None:
    weights = bundle / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    report = verify(bundle, NOTHING, quick=True)
    assert not report.ok
    assert "weights.safetensors" in report.problem


def test_a_card_of_other_weights_is_found(bundle: Path) -> None:
    write_card(bundle, [entry("one")])
    card = bundle / "card.json"
    text = card.read_text()
    mine = text.split('"fingerprint": "')[1][:64]
    card.write_text(text.replace(mine, "0" * 64))
    report = verify(bundle, NOTHING, quick=True)
    assert not report.ok
    assert "these are other weights" in report.problem


def test_no_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder"):
        verify(tmp_path / "none", NOTHING, quick=True)
