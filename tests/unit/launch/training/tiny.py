"""A codec small enough to train a few steps of, on the patch grid that training uses."""

from tokenizers import AddedToken

from launch.datasets.clevr_style.vocabulary import VALUES
from launch.training.language import LENGTH
from launch.training.packing import Packer
from launch.training.scenes import GRID, PATCHES
from shared.semantic.config import SemanticConfig
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from shared.semantic.trace import trace_words
from tests.unit.shared.semantic.tiny import tiny_config, tiny_tokenizer


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
