"""Pre-trained SigLIP and Gemma2 as parts of a bundle: their files checked, their tensors found by our names.

Of SigLIP only the vision tower without its pooling head is used; of Gemma2 everything (its head is its
embedding). Nothing is read here but headers, configurations and the tokenizer.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig

from launch.bundles.hub import SourceError, weight_files
from shared.outside_text import one_line
from shared.semantic.bundle import TOKENIZER_FILE, read_tokenizer, tensor_shapes
from shared.semantic.config import SemanticConfig
from shared.semantic.manifest import CONFIG_FILE
from shared.semantic.tokenizer import BOS, EOS, PAD
from shared.semantic.weights import StoredTensor, check_tensor, read_headers

VISION, LLM = "vision.model.", "llm.model."
_UNUSED_OF_SIGLIP = ("text_model.", "logit_scale", "logit_bias", "vision_model.head.", "head.")
_UNUSED_OF_GEMMA = ("lm_head.",)
_VISION_FIELDS = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "image_size",
    "patch_size",
    "hidden_act",
    "layer_norm_eps",
)
_LLM_FIELDS = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "hidden_activation",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "query_pre_attn_scalar",
    "sliding_window",
    "rms_norm_eps",
    "attention_bias",
    "bos_token_id",
    "pad_token_id",
)


def find_vision(folder: Path, config: SemanticConfig) -> dict[str, StoredTensor]:
    """SigLIP's vision tower by our names. Raises `SourceError` or `BundleError`, one line."""
    given = _read_config(folder, ("siglip", "siglip_vision_model"))
    given = getattr(given, "vision_config", given)
    _check_fields(folder, given, config.vision.to_transformers(), _VISION_FIELDS)
    return _match(folder, config, VISION, lambda name: name.removeprefix("vision_model."), _UNUSED_OF_SIGLIP)


def find_llm(folder: Path, config: SemanticConfig) -> dict[str, StoredTensor]:
    """Gemma2 by our names. Raises `SourceError` or `BundleError`, one line."""
    given = _read_config(folder, ("gemma2",))
    _check_fields(folder, given, config.llm.to_transformers(), _LLM_FIELDS)
    base = given.rope_parameters["rope_theta"]
    if base != config.llm.rope_theta:
        raise SourceError(
            f"{folder / CONFIG_FILE}: rope_theta: expected {config.llm.rope_theta}, found {base}"
        )
    return _match(folder, config, LLM, lambda name: name.removeprefix("model."), _UNUSED_OF_GEMMA)


def tokenizer_text(path: Path, config: SemanticConfig) -> str:
    """A tokenizer.json, or the one in a folder, that fits. Raises `SourceError` or `BundleError`."""
    file = path / TOKENIZER_FILE if path.is_dir() else path
    tokenizer = read_tokenizer(file, config.llm.vocab).tokenizer
    for name, expected in ((PAD, config.llm.pad_id), (EOS, config.llm.eos_id), (BOS, config.llm.bos_id)):
        found = tokenizer.token_to_id(name)
        if found != expected:
            raise SourceError(f"{file}: token {name}: expected id {expected}, found {found}")
    return file.read_text(encoding="utf-8")


def _match(
    folder: Path, config: SemanticConfig, ours: str, rename: Callable[[str], str], unused: tuple[str, ...]
) -> dict[str, StoredTensor]:
    """Stored tensors by our names: all that begin with `ours`, each with its shape, and no others."""
    files = weight_files(folder)
    found = read_headers(files)
    expected = {name: shape for name, shape in tensor_shapes(config).items() if name.startswith(ours)}
    matched: dict[str, StoredTensor] = {}
    for theirs, stored in found.items():
        if theirs.startswith(unused):
            continue
        name = ours + rename(theirs)
        if name not in expected:
            raise SourceError(f"{stored.file}: tensor {theirs} is not expected")
        check_tensor(stored, expected[name])
        matched[name] = stored
    for name, shape in expected.items():
        if name not in matched:
            theirs = name.removeprefix(ours)
            raise SourceError(
                f"{_place(files)}: no tensor ends with {theirs}: expected shape {list(shape)}, found none"
            )
    return matched


def _place(files: list[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0].parent} ({len(files)} files)"


def _read_config(folder: Path, kinds: tuple[str, ...]) -> Any:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    try:
        given = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StrictDataclassError) as error:
        raise SourceError(f"{path}: no model configuration ({one_line(error)})") from None
    if given.model_type not in kinds:
        raise SourceError(f"{path}: model_type: expected {' or '.join(kinds)}, found {given.model_type!r}")
    return given


def _check_fields(folder: Path, given: Any, expected: Any, fields: tuple[str, ...]) -> None:
    for field in fields:
        wanted, found = getattr(expected, field), getattr(given, field, None)
        if found != wanted:
            raise SourceError(f"{folder / CONFIG_FILE}: {field}: expected {wanted}, found {found}")


def parameters(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Parameters by part: vision, projector, llm, codec."""
    counts: dict[str, int] = {}
    for name, shape in shapes.items():
        size = 1
        for length in shape:
            size *= length
        part = name.partition(".")[0]
        counts[part] = counts.get(part, 0) + size
    return counts
