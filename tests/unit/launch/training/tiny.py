"""A codec small enough to train a few steps of, on the patch grid that training uses."""

import gzip
import json
from pathlib import Path

from PIL import Image
from tokenizers import AddedToken

from launch.datasets.clevr_style.scene import sample_scene
from launch.datasets.clevr_style.vocabulary import VALUES
from launch.training.language import LENGTH
from launch.training.packing import Packer
from launch.training.recipe import Plan, Recipe
from launch.training.scenes import GRID, PATCHES
from shared.semantic.config import SemanticConfig
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from shared.semantic.trace import trace_words
from tests.unit.shared.semantic.tiny import tiny_config, tiny_tokenizer

RECIPE = Recipe(
    {name: Plan(2, 2, 1e-3) for name in ("vision", "language", "align", "tune", "joint")},
    lora_rank=4,
    compiled=False,
)


def grid_config(layers: int = 6) -> SemanticConfig:
    tiny = tiny_config(layers=layers)
    return tiny.model_copy(
        update={
            "vision": tiny.vision.model_copy(update={"image_size": 4 * GRID}),
            "llm": tiny.llm.model_copy(update={"vocab": 512}),
            "traces": True,
        }
    )


def trace_codec() -> TextCodec:
    said = " ".join(value for values in VALUES.values() for value in values)
    codec = tiny_tokenizer(f"{said} positive negative", 400)
    codec.tokenizer.add_tokens([AddedToken(word, normalized=False) for word in trace_words(PATCHES)])
    return codec


def packer_of(config: SemanticConfig, codec: TextCodec, length: int = LENGTH) -> Packer:
    return Packer(Prompts(config, codec), codec, config.llm.bos_id, config.llm.eos_id, length)


def plain_pictures(root: Path, split: str, count: int) -> Path:
    """A data set whose pictures show nothing: true scenes, pictures of one colour each."""
    (root / "images").mkdir(parents=True)
    scenes = [sample_scene(0, split, index) for index in range(count)]
    for scene in scenes:
        colour = (90, 90, scene["image_index"])
        Image.new("RGB", (240, 160), colour).save(root / "images" / scene["image_filename"])
    (root / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    return root


def few_reviews(path: Path, count: int = 40) -> Path:
    with gzip.open(path, "wt") as file:
        for number in range(count):
            label, text = ("pos", "a good film") if number % 2 else ("neg", "a film, was bad")
            review = {"id": str(number), "label": label, "text": text * (1 + number % 3)}
            file.write(json.dumps(review) + "\n")
    return path
