"""A good bundle is never replaced by a worse one without being told to."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from launch.datasets.clevr_style.scene import sample_scene
from launch.datasets.sample import Sample
from launch.training.compare import Kept, rejected_place, save_unless_worse, score_of
from launch.training.draws import fixed_air
from launch.training.forward import Stack
from launch.training.language import NONE_DROPPED, Reviews
from launch.training.tuning import JUDGE_SNR_DB
from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.config import at_split
from tests.unit.launch.training.tiny import grid_config, packer_of, trace_codec
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


def test_a_worse_bundle_is_kept_beside_the_better_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, codec = tmp_path / "bundle", tiny_tokenizer()
    models = [tiny_model(tiny_config(layers=2), seed) for seed in range(3)]
    held = 0.0

    def offer(number: int, score: float, force: bool = False) -> bool:
        return save_unless_worse(
            bundle,
            lambda place: save_bundle(place, models[number], codec, "# tiny\n"),
            lambda: score,
            lambda: held,
            force,
        )

    def print_of(place: Path) -> str:
        return Bundle.load(place).fingerprint

    assert offer(0, 0.5)
    held, first = 0.5, print_of(bundle)
    assert not offer(1, 0.4999)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        f"{bundle}: kept, the new one is worse: score 0.4999, that of the bundle there 0.5000; "
        f"it is in {bundle}.rejected"
    )
    assert print_of(bundle) == first != print_of(rejected_place(bundle))
    assert offer(2, 0.5)
    assert "replaced: score 0.5000, that of the bundle there 0.5000" in capsys.readouterr().out
    assert print_of(bundle) != first
    assert offer(1, 0.1, force=True)
    assert print_of(bundle) == print_of(rejected_place(bundle))


def test_the_score_rises_with_what_is_learned(tmp_path: Path) -> None:
    """Two pictures that are kept for choosing, and reviews that are all negative."""
    torch.set_num_threads(1)
    (tmp_path / "images").mkdir()
    scenes = [sample_scene(0, "train", index) for index in (0, 1, 40)]
    for scene in scenes:
        Image.new("RGB", (24, 16)).save(tmp_path / "images" / scene["image_filename"])
    (tmp_path / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    reviews = [
        Sample("text_classification", None, "was bad", "negative", "sentiment", "imdb", str(n))
        for n in range(9)
    ]
    kept, codec, model = Kept(tmp_path, reviews), trace_codec(), tiny_model(at_split(grid_config(2), 1))
    before = score_of(model, codec, kept)
    packer, stack = packer_of(model.config, codec, 192), Stack(model, compiled=False)
    learned = [*model.llm.requires_grad_(True).parameters(), *model.codec.parameters()]
    optim = torch.optim.Adam(learned, lr=1e-2)
    for step in range(60):
        rng = np.random.default_rng(step)
        batch = packer.reviews([Reviews(reviews, codec).fill(rng, packer, NONE_DROPPED)])
        air = fixed_air(batch, [rng], model.config.uses_per_token, JUDGE_SNR_DB)
        out = stack.run(batch, None, torch.zeros(1, dtype=torch.bool), air, model.config.split_layer)
        loss, _ = stack.answer_loss(batch, out)
        optim.zero_grad()
        loss.backward()
        optim.step()
    after = score_of(model, codec, kept)
    assert before < 0.05
    assert after > before + 0.05
