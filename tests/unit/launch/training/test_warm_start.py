"""Going on from a bundle: what the phases begin with is what the bundle has."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from launch.errors import LaunchError
from launch.training.hints import Scaffold
from launch.training.images import load_pictures
from launch.training.material import see
from launch.training.recipe import Plan
from launch.training.run import Job, tokenizer_of, train_bundle, trained_model
from launch.training.scenes import features
from launch.training.warm_start import RIDGE, start_symbols, started_sizes
from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.config import at_split
from shared.semantic.model import SemanticModel
from tests.unit.launch.training.tiny import RECIPE, few_reviews, grid_config, plain_pictures, trace_codec
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


def a_start(folder: Path) -> tuple[SemanticModel, Path, Path]:
    """A bundle in `start` to go on from, pictures and reviews."""
    torch.set_num_threads(1)
    start = tiny_model(grid_config(), seed=5)
    save_bundle(folder / "start", start, trace_codec(), "# start\n")
    return start, plain_pictures(folder / "data", "train", 44), few_reviews(folder / "reviews.jsonl.gz")


def test_without_a_step_the_bundle_comes_back(tmp_path: Path) -> None:
    start, data, imdb = a_start(tmp_path)
    still = replace(RECIPE, plans=dict.fromkeys(RECIPE.plans, Plan(0, 2, 1e-3)))
    job = Job(grid_config(), still, data, imdb, tmp_path / "out", start=tmp_path / "start")
    train_bundle(job, 1)
    assert tokenizer_of(job).tokenizer.to_str() == trace_codec().tokenizer.to_str()
    came = trained_model(job)
    for part in ("vision", "projector", "llm"):
        held = getattr(start, part).state_dict()
        for name, tensor in getattr(came, part).state_dict().items():
            # float16 in the bundle
            torch.testing.assert_close(tensor, held[name], rtol=1e-3, atol=1e-4, msg=f"{part}.{name}")


@pytest.mark.parametrize("k", [0, grid_config().llm.layers])
def test_phase_3_alone_fits_the_bundles_weights_to_another_cut(tmp_path: Path, k: int) -> None:
    start, data, imdb = a_start(tmp_path)
    config = at_split(grid_config(), k)
    assert config.split_layer != grid_config().split_layer
    assert started_sizes(tmp_path / "start", config) == config
    job = Job(
        config, replace(RECIPE, plans={"joint": Plan(1, 2, 1e-3)}), data, imdb, tmp_path / "out",
        start=tmp_path / "start",
    )  # fmt: skip
    train_bundle(job, 1, tmp_path / "bundle")
    lines = [json.loads(line) for line in (job.out / "log.jsonl").read_text().splitlines()]
    assert {line["phase"] for line in lines} == {"joint"}
    made = Bundle.load(tmp_path / "bundle")
    assert made.config.split_layer == k
    came = made.model("all", dtype=torch.float32)
    for name, tensor in came.vision.state_dict().items():
        torch.testing.assert_close(tensor, start.vision.state_dict()[name], rtol=2e-3, atol=1e-4, msg=name)
    moved = (came.projector.state_dict()[name] - held for name, held in start.projector.state_dict().items())
    assert any(step.abs().max() > 2e-4 for step in moved)


def test_symbols_begin_as_the_best_linear_guess_of_the_pictures_tokens(tmp_path: Path) -> None:
    """Least squares: what is left over is orthogonal to the features, but for the ridge."""
    start, codec = tiny_model(grid_config(), seed=5), trace_codec()
    pictures = load_pictures(
        plain_pictures(tmp_path / "data", "train", 8), start.config.vision.image_size, "train"
    )
    torch.manual_seed(0)
    scaffold = Scaffold(start.config.llm.hidden, codec)
    start_symbols(scaffold, start, pictures)
    symbols = torch.stack([torch.from_numpy(features(where)) for where in pictures.patches])
    with torch.no_grad():
        wanted = start.projector(torch.from_numpy(see(start.vision, pictures)).float())
        left = (scaffold.tokens(start, symbols) - wanted).flatten(0, 1)
    slope = symbols.flatten(0, 1).T @ left / len(left)
    torch.testing.assert_close(slope, -RIDGE * scaffold.symbols.weight.detach().T, rtol=0.02, atol=1e-4)


def test_a_bundle_of_other_sizes_is_refused(tmp_path: Path) -> None:
    save_bundle(tmp_path / "start", tiny_model(tiny_config()), tiny_tokenizer(), "# other\n")
    with pytest.raises(LaunchError, match="expected the sizes of 'tiny', found others"):
        started_sizes(tmp_path / "start", grid_config())


def test_a_bundles_own_tower_goes_on_whatever_a_run_from_nothing_would_have(tmp_path: Path) -> None:
    plain = grid_config()
    vision = plain.vision.model_copy(update={"stem": (8,), "layers": 2})
    stemmed = plain.model_copy(update={"vision": vision})
    save_bundle(tmp_path / "start", tiny_model(stemmed), trace_codec(), "# with a stem\n")
    assert started_sizes(tmp_path / "start", plain) == stemmed
