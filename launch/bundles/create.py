"""Make a bundle: from pre-trained SigLIP and Gemma2, or at full size from random numbers.

Tensors are made or read when their file is written, one file (about 1 GiB) at a time.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import shared
from launch.bundles.card_text import pretrained_card, random_card
from launch.bundles.fresh import fresh_tensor
from launch.bundles.hub import find_model
from launch.bundles.pretrained import find_llm, find_vision, tokenizer_text
from launch.errors import LaunchError
from shared.semantic.bundle import TOKENIZER_FILE, Bundle, tensor_shapes, write_bundle
from shared.semantic.config import PRESETS, SemanticConfig
from shared.semantic.manifest import CONFIG_FILE, MANIFEST_FILE
from shared.semantic.weights import SHARD_BYTES, read_tensors

DTYPES = {"micro": torch.float16}
"""What a preset's weights are stored in; bfloat16 where nothing else is said."""
_DISK_SLACK_BYTES = 64 * 2**20

Progress = Callable[[str], None]


class CreateError(LaunchError):
    """A bundle that cannot be made as asked; one line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bundle goes. `force` lets it take the place of another bundle, and of nothing else."""

    out: Path
    force: bool = False
    shard_bytes: int = SHARD_BYTES


def preset(name: str) -> SemanticConfig:
    """Raises `CreateError`."""
    if name not in PRESETS:
        raise CreateError(f"--preset {name}: expected one of {', '.join(sorted(PRESETS))}")
    return PRESETS[name]


def create_random(
    config: SemanticConfig, seed: int, place: Place, tokenizer: Path | None = None, progress: Progress = print
) -> Bundle:
    """A bundle of random weights, every tensor at its size, none of them trained.

    `tokenizer` is a tokenizer.json or a folder with one; None: that of the shipped `micro` bundle, whose ids
    are all valid in a larger vocabulary. Raises `CreateError`, `SourceError` or `BundleError`.
    """
    dtype = DTYPES.get(config.name, torch.bfloat16)
    source = shipped_tokenizer() if tokenizer is None else tokenizer.expanduser()
    text = tokenizer_text(source, config)
    shapes = tensor_shapes(config)

    def tensor_of(name: str) -> Tensor:
        return fresh_tensor(name, shapes[name], seed, dtype)

    card = random_card(config, dtype, seed, None if tokenizer is None else source.name)
    return _write(config, tensor_of, text, card, dtype, place, progress)


def create_pretrained(
    config: SemanticConfig, vision: str, llm: str, seed: int, place: Place, progress: Progress = print
) -> Bundle:
    """A bundle of a pre-trained vision tower and language model; projector and channel codec start fresh.

    `vision` and `llm` are folders or hub ids. Raises `CreateError`, `SourceError` or `BundleError`.
    """
    dtype = DTYPES.get(config.name, torch.bfloat16)
    vision_folder, llm_folder = find_model(vision, "--vision"), find_model(llm, "--llm")
    stored = find_vision(vision_folder, config) | find_llm(llm_folder, config)
    text = tokenizer_text(llm_folder, config)
    shapes = tensor_shapes(config)

    def tensor_of(name: str) -> Tensor:
        if name in stored:
            (tensor,) = read_tensors([stored[name]]).values()
            return tensor
        return fresh_tensor(name, shapes[name], seed, dtype)

    names = {folder: _shown(source) for folder, source in ((vision_folder, vision), (llm_folder, llm))}
    files = sorted({tensor.file for tensor in stored.values()})
    sources = {f"{names[file.parent]}/{file.name}": file for file in files}
    card = pretrained_card(config, dtype, seed, sources)
    return _write(config, tensor_of, text, card, dtype, place, progress)


def shipped_tokenizer() -> Path:
    return Path(next(iter(shared.__path__))) / "bundles" / "micro" / TOKENIZER_FILE


def _shown(source: str) -> str:
    """A hub id, or a folder's own name: a card tells nobody where on a machine things lie."""
    folder = Path(source).expanduser()
    return folder.absolute().name if folder.is_dir() else source


def _write(
    config: SemanticConfig,
    tensor_of: Callable[[str], Tensor],
    tokenizer: str,
    card: str,
    dtype: torch.dtype,
    place: Place,
    progress: Progress,
) -> Bundle:
    out = place.out.expanduser().absolute()
    check_place(out, place.force)
    needed = dtype.itemsize * sum(torch.Size(shape).numel() for shape in tensor_shapes(config).values())
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out.parent).free
        if free < needed + _DISK_SLACK_BYTES:
            raise CreateError(f"--out {out}: needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free")
        return write_bundle(out, config, tensor_of, tokenizer, card, dtype, place.shard_bytes, progress)
    except OSError as error:
        raise CreateError(f"--out {out}: cannot be written ({error.strerror or error})") from None


def check_place(out: Path, force: bool, option: str = "--out") -> None:
    """Nothing there, an empty folder, or with `force` a bundle. `option` is what the person typed it after.

    Raises `CreateError`.
    """
    if not out.exists() and not out.is_symlink():
        return
    if out.is_dir() and not any(out.iterdir()):
        return
    is_bundle = (out / MANIFEST_FILE).is_file() or (
        (out / TOKENIZER_FILE).is_file() and (out / CONFIG_FILE).is_file()
    )
    if not is_bundle or out.is_symlink():
        raise CreateError(f"{option} {out}: is there and is no bundle: not replaced")
    if not force:
        raise CreateError(f"{option} {out}: holds a bundle; give --force to replace it")
