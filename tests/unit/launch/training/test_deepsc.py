"""Training of DeepSC and DeepSC-VQA: a few steps, stopped and continued, to a bundle that both ends load."""

import math
import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch._inductor.config
from torch import Tensor
from torch.nn.functional import cross_entropy

from launch.datasets.clevr_style.questions import FAMILIES, questions_for
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, imagine_scene
from launch.errors import Interrupted, LaunchError
from launch.training.deepsc.air import Air, draw_air, draw_eighths, draw_lost, fixed_air, sent_of, through
from launch.training.deepsc.run import PRESETS, VQA_ANSWERS, DeepscJob, question_words, train_deepsc
from launch.training.deepsc.vision import centres, patch_loss
from launch.training.deepsc.vqa import answered, ask, compile_reasoning
from launch.training.draws import SNR_DB
from launch.training.images import load_pictures
from launch.training.loop import Checkpoint, row_rng
from launch.training.order import order
from launch.training.recipe import DEEPSC_RECIPES, Plan, Recipe
from launch.training.scenes import NOTHING, SIZES_OF, patches_of
from launch.training.stop import ask_to_stop, forget_to_stop
from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.config import AnyDeepsc, DeepscVqaConfig, TransformerSizes
from shared.deepsc.vision import pixels_of
from shared.deepsc.vqa import DeepscVqa
from shared.rate import EIGHTHS
from tests.unit.launch.training.tiny import few_reviews, plain_pictures
from tests.unit.shared.semantic.tiny import tiny_tokenizer

SMALL: Mapping[str, Any] = {
    "text": TransformerSizes(width=16, layers=1, heads=2, inner=24),
    "channel_hidden": 24,
}
SMALL_VQA: Mapping[str, Any] = {"image_size": 48, "channels": (8, 8, 16), "blocks": 1, "steps": 2}
STEPS = 3


def job_of(scheme: str, data: Path, out: Path) -> DeepscJob:
    changes = {**SMALL, **(SMALL_VQA if scheme == "deepsc_vqa" else {})}
    config: AnyDeepsc = PRESETS[scheme].model_copy(update=changes)
    plans = {name: Plan(STEPS, 2, 1e-3, judge_every=2) for name in DEEPSC_RECIPES[scheme].plans}
    return DeepscJob(config, Recipe(plans, compiled=False), data, out)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("data")
    plain_pictures(root / "scenes", "train", 6)
    few_reviews(root / "reviews.jsonl.gz", 44)
    return {"deepsc_vqa": root / "scenes", "deepsc": root / "reviews.jsonl.gz"}


def weights(out: Path, phase: str) -> dict[str, Tensor]:
    return dict(Checkpoint(out / f"{phase}.pt").modules()["model"])


def steps_of(out: Path, phase: str) -> int:
    state = Checkpoint(out / f"{phase}.pt").load()
    return 0 if state is None else int(state["step"])


@pytest.mark.parametrize("scheme", ["deepsc", "deepsc_vqa"])
def test_stopped_and_continued_gives_the_same_weights_and_a_bundle(
    scheme: str, data: dict[str, Path], tmp_path: Path
) -> None:
    whole, parts = (job_of(scheme, data[scheme], tmp_path / name) for name in ("whole", "parts"))
    if scheme == "deepsc":  # that of all reviews takes a while to train
        for job in (whole, parts):
            job.out.mkdir()
            tiny_tokenizer().tokenizer.save(str(job.out / "tokenizer.json"))
    assert train_deepsc(whole, 1, tmp_path / "bundle")
    stops = 0
    while steps_of(parts.out, scheme) < STEPS:
        parts.out.mkdir(exist_ok=True)
        ask_to_stop(parts.out)  # after every single step
        with pytest.raises(Interrupted):
            train_deepsc(parts, 1)
        stops += 1
        assert stops <= 3 * STEPS
    forget_to_stop(parts.out)
    assert stops > 1
    train_deepsc(parts, 1)
    expected = weights(whole.out, scheme)
    for name, tensor in weights(parts.out, scheme).items():
        assert torch.equal(tensor, expected[name]), name
    bundle = DeepscBundle.load(tmp_path / "bundle", scheme)
    assert bundle.config == whole.config
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert f"`scheme: {scheme}`" in card
    assert f"| `{scheme}` | {STEPS} | 2 |" in card
    assert "On data kept for choosing" in card
    assert (tmp_path / "bundle" / "curves.png").stat().st_size > 1_000
    assert (whole.out / "log.jsonl").exists()


def test_the_mean_of_two_workers_losses_is_that_of_all_pictures() -> None:
    """Though one has the picture with one object, which is read worse, and the other the one with many."""
    wanted = torch.full((2, 9, 4), NOTHING)
    wanted[0, 4], wanted[1, :7] = 1, 0
    said = torch.randn(2, 9, 1 + sum(SIZES_OF), generator=torch.Generator().manual_seed(0))
    said[1, :, [1, 3, 11, 13]] += 4.0  # the first value of every attribute
    shares = [float(patch_loss(said[row], wanted[row])[0]) for row in ([0], [1])]
    assert sum(shares) / 2 == pytest.approx(float(patch_loss(said, wanted)[0]), rel=1e-5)


@torch._inductor.config.patch(compile_threads=1)  # no pool of them, which would stay
@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler: training computes without")
def test_compiled_reasoning_computes_what_the_plain_one_does(data: dict[str, Path], tmp_path: Path) -> None:
    """Logits and gradients, for whatever number of questions and words."""
    config = job_of("deepsc_vqa", data["deepsc_vqa"], tmp_path).config
    assert isinstance(config, DeepscVqaConfig)
    config = config.model_copy(update={"steps": 1})  # every step is compiled for itself
    pictures, codec = load_pictures(data["deepsc_vqa"], config.image_size, "train"), question_words()
    torch.manual_seed(0)
    plain = DeepscVqa(config)
    compiled = deepcopy(plain)
    compile_reasoning(compiled)
    for rows in (2, 3):
        found = []
        for model in (plain, compiled):
            rngs = [np.random.default_rng([rows, row]) for row in range(rows)]
            asked = ask(pictures, range(rows), rngs, FAMILIES, codec, config)
            pixels = torch.stack(
                [pixels_of(pictures.pixels_BSSC[row], config.image_size) for row in range(rows)]
            )
            air = fixed_air(rows, 10.0)
            made = answered(model, pixels, asked, air, [EIGHTHS] * rows, rngs)
            # Copied first: the compiled gradient computes in the memory of what was returned.
            given = (made.logits.detach().clone(), made.log_odds.detach().clone())
            model.zero_grad()
            (cross_entropy(made.logits, asked.answers) + made.log_odds.square().mean()).backward()
            found.append((given, [p.grad for p in model.parameters()]))
        torch.testing.assert_close(found[1], found[0], rtol=1e-3, atol=1e-5)


def test_every_word_and_every_answer_about_scenes_is_known() -> None:
    codec = question_words()
    assert codec.vocab_size <= PRESETS["deepsc_vqa"].vocab
    unknown = codec.encode("zebra")
    for number in range(40):
        rng = row_rng(1, "test", 0, number)
        scene = imagine_scene(rng, 10, DEFAULT_RESOLUTION)
        for question in questions_for(scene, rng, FAMILIES, 9):
            assert question.answer in VQA_ANSWERS
            ids = codec.encode(question.question)
            assert unknown[0] not in ids, question.question
            assert len(ids) <= PRESETS["deepsc_vqa"].text_tokens
    assert codec.encode("is there a red cube?") == codec.encode("Is there a RED cube ?")


def test_objects_are_wanted_where_they_stand() -> None:
    scene = imagine_scene(np.random.default_rng(3), 6, DEFAULT_RESOLUTION)
    patches = patches_of(scene, *DEFAULT_RESOLUTION)
    wanted = centres(patches, 14)
    assert wanted.shape == (196, 4)
    width, height = DEFAULT_RESOLUTION
    for item, values in zip(scene["objects"], patches.values_OA.tolist(), strict=True):
        x, y, _ = item["pixel_coords"]
        found = wanted[int(y * 14 / height) * 14 + int(x * 14 / width)].tolist()
        assert found == values or found in patches.values_OA.tolist()
    assert 1 <= (wanted[:, 0] >= 0).sum() <= len(scene["objects"])


def test_the_channel_of_training_is_that_of_the_testbed() -> None:
    """Unit power before, N0 after the equaliser; what is lost, not there or not sent is zeros."""
    rngs = [np.random.default_rng(n) for n in range(2)]
    reals = torch.randn(2, 300, 8, generator=torch.Generator().manual_seed(0)) * 9.0
    there = torch.ones(2, 300, dtype=torch.bool)
    there[1, 250:] = False
    sent = sent_of(there, 4, [8, 4])
    assert sent.sum((1, 2)).tolist() == [1_200, 500]
    clear = through(reals, sent, torch.ones(2, 300, 1), fixed_air(2, 100.0), rngs)
    assert torch.allclose(clear.square().sum((1, 2)), sent.sum((1, 2)), rtol=1e-3)
    assert not clear[1, 250:].any()
    assert not clear[1, :, 4:].any()
    gain = torch.tensor([0.5 + 0.5j, 1.0])
    heard = through(reals, sent, torch.ones(2, 300, 1), Air(gain, torch.full((2,), 0.1)), rngs)
    shares = torch.tensor([1 / (1 + 0.1 / 0.5), 1 / 1.1])
    left = (heard / shares[:, None, None] - clear).square().sum((1, 2)) / sent.sum((1, 2))
    assert torch.allclose(left, torch.tensor([0.2, 0.1]), rtol=0.2)
    arrived = draw_lost([np.random.default_rng(n) for n in range(400)], 100, 16)
    assert 0.03 < 1.0 - float(arrived.mean()) < 0.15
    assert all(set(row.tolist()) <= {0.0, 1.0} for row in arrived[..., 0])


def test_a_kind_channel_is_awgn_of_the_best_snr_and_a_harsher_one_lies_between() -> None:
    rngs = [np.random.default_rng(n) for n in range(400)]
    kind = draw_air(rngs, 0.0)
    assert kind.gain_B.tolist() == [1.0] * 400
    assert torch.allclose(kind.noise_variance_B, torch.tensor(10.0 ** (-SNR_DB[1] / 10.0)))
    assert draw_eighths(rngs, 0.0) == [EIGHTHS] * 400
    assert draw_lost(rngs, 100, 16, 0.0).all()
    half = draw_air(rngs, 0.5)
    assert -10.0 * math.log10(float(half.noise_variance_B.max())) == pytest.approx(sum(SNR_DB) / 2, abs=0.5)
    assert 0.05 < float((half.gain_B != 1.0).float().mean()) < 0.2  # half of a quarter
    assert 200 < draw_eighths(rngs, 0.5).count(EIGHTHS) < 340  # 0.7, and an eighth of the others


@pytest.mark.parametrize(
    ("scheme", "preset", "options", "said"),
    [
        ("deepsc", "micro", {}, r"--scheme deepsc: expected --imdb"),
        ("deepsc_vqa", "micro", {"--imdb": "reviews"}, r"--scheme deepsc_vqa: expected --data"),
        ("deepsc", "micro", {"--imdb": "reviews", "--data": "scenes"}, r"--data: not with --scheme deepsc"),
        ("deepsc", "paper", {}, r"--preset paper: not with --scheme deepsc"),
        ("webp_ldpc", "micro", {}, r"--scheme webp_ldpc: expected m4sc, deepsc, deepsc_vqa"),
        ("m4sc", "deepsc", {}, r"--preset deepsc: expected micro or paper"),
    ],
)
def test_what_cannot_be_trained_is_said_in_one_line(
    scheme: str, preset: str, options: dict[str, str], said: str, tmp_path: Path
) -> None:
    for path in options.values():
        (tmp_path / path).mkdir()
    sources: dict[str, Path | None] = {name: tmp_path / path for name, path in options.items()}
    with pytest.raises(LaunchError, match=said) as raised:
        order(preset, sources, tmp_path / "out", None, 1, 1.0, 0, False, False, scheme)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()
