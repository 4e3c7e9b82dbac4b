"""An ablation as a person gets it, at toy size: a trained run, its bundle, runs through processes, files."""

import os
from pathlib import Path

import pytest
import torch

from launch.experiments.ablations import Ablations, Order
from launch.experiments.results import JSON_FILE, PAGE_FILE, read_results
from launch.experiments.variants import Source
from launch.runfolder import COMPLETE
from launch.standby import shared_by_runs
from launch.training.run import TOKENIZER_FILE, Job, train_bundle
from shared.semantic.bundle import Bundle
from tests.e2e.helpers import ROOT
from tests.unit.launch.training.tiny import RECIPE, few_reviews, grid_config, plain_pictures, trace_codec

pytestmark = pytest.mark.timeout(300)
QUESTIONS = 18


def test_with_and_without_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(ROOT))
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    data = plain_pictures(tmp_path / "clevr-style-train", "train", 44)
    plain_pictures(tmp_path / "clevr-style-heldout", "heldout", 8)
    imdb = few_reviews(tmp_path / "train.jsonl.gz")
    config = grid_config()
    limits = config.limits.model_copy(update={"text_tokens": 200})
    source = Source(tmp_path / "run", config.model_copy(update={"limits": limits}), RECIPE, 0)
    source.folder.mkdir()
    trace_codec().tokenizer.save(str(source.folder / TOKENIZER_FILE))
    train_bundle(Job(source.config, RECIPE, data, imdb, source.folder), 1)

    out = tmp_path / "out"
    out.mkdir()
    wanted = Order(source, data, imdb, imdb, out, 1.0, QUESTIONS, ("traces",), 1)
    with shared_by_runs():
        results = Ablations(wanted, print).all()
    assert read_results(out) == results
    (table,) = results.tables.values()
    for row in table.rows[:2]:
        figure = row.cells["questions"]
        assert figure.n == QUESTIONS
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= figure.value <= figure.high
        assert row.cells["UE decode, ms"].value > 0
    assert table.rows[2].cells["questions"].n == QUESTIONS
    fingerprint = Bundle.load(out / "trained" / "bundle").fingerprint
    for name in ("vqa", "vqa_direct"):
        folder = out / "trained" / "runs" / name
        assert [file for file in COMPLETE if not (folder / file).exists()] == []
        assert fingerprint in (folder / "summary.json").read_text()
    assert "reasoning=false" in (out / JSON_FILE).read_text()
    assert "## Reasoning traces" in (out / PAGE_FILE).read_text()
