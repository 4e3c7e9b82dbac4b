"""A bundle: a folder with `bundle.json`, `config.json`, `tokenizer.json`, weights and a model card.

`Bundle.load` checks everything and computes nothing: it reads the manifest, the configuration, the tokenizer
and the headers of the weights, so a process that forks later may call it. Tensors are mapped, not copied,
when a half is built, and only those which that half runs.

Weights in bfloat16 are computed with as they are; others in float32. The channel codec, which is small and
whose output is counted in energy, is always float32.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from shared.outside_text import one_line
from shared.semantic.config import SemanticConfig
from shared.semantic.config_file import read_sizes
from shared.semantic.manifest import (
    CARD_FILE,
    CONFIG_FILE,
    MANIFEST_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    BundleError,
    Manifest,
    check_files,
    make_manifest,
    read_manifest,
    write_manifest,
)
from shared.semantic.model import SemanticModel, empty_model, shape_of_model
from shared.semantic.tokenizer import TextCodec
from shared.semantic.weights import (
    SHARD_BYTES,
    Shape,
    StoredTensor,
    check_tensors,
    read_headers,
    read_tensors,
    write_tensors,
)

__all__ = [
    "CARD_FILE",
    "CONFIG_FILE",
    "MANIFEST_FILE",
    "TOKENIZER_FILE",
    "WEIGHTS_FILE",
    "Bundle",
    "BundleError",
    "Role",
    "read_tokenizer",
    "save_bundle",
    "tensor_shapes",
    "write_bundle",
    "write_folder",
]

TIED = "llm.lm_head.weight"
Role = Literal["sender", "receiver", "all"]
_CODEC = "codec."


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle on disk. `roles` says which half's tensors may be built from it.

    `dtype` is what the model computes in, the channel codec excepted.
    """

    path: Path
    config: SemanticConfig
    text_codec: TextCodec
    fingerprint: str
    roles: Role
    manifest: Manifest
    tensors: dict[str, StoredTensor]
    dtype: torch.dtype

    @classmethod
    def load(cls, path: Path | str, roles: Role = "all") -> "Bundle":
        """Raises `BundleError`."""
        path = Path(path)
        manifest = read_manifest(path)
        check_files(path, manifest)
        config = read_sizes(path)
        text_codec = read_tokenizer(path / TOKENIZER_FILE, config.llm.vocab)
        tensors = read_headers(path / name for name in manifest.weights)
        check_tensors(tensors, tensor_shapes(config), path / manifest.weights[-1])
        kinds = {stored.kind for name, stored in tensors.items() if not name.startswith(_CODEC)}
        dtype = torch.bfloat16 if kinds == {"BF16"} else torch.float32
        return cls(path, config, text_codec, manifest.fingerprint, roles, manifest, tensors, dtype)

    def model(
        self, role: Role | None = None, dtype: torch.dtype | None = None, split_layer: int | None = None
    ) -> SemanticModel:
        """The model with the tensors that a role needs; the others stay empty (on the meta device).

        A sender needs the language model's layers below `split_layer` only (None: all of them). `dtype` None
        is the bundle's own. Raises `BundleError`.
        """
        role = role or self.roles
        if self.roles not in (role, "all"):
            raise BundleError(f"{self.path}: loaded for the {self.roles}, asked for the {role}")
        dtype = dtype or self.dtype
        needed = _prefixes(role, self.config.llm.layers if split_layer is None else split_layer)
        mapped = read_tensors(t for name, t in self.tensors.items() if name.startswith(needed))
        tensors = {
            name: tensor.to(torch.float32 if name.startswith(_CODEC) else dtype)
            for name, tensor in mapped.items()
        }
        model = empty_model(self.config)
        model.load_state_dict(tensors, strict=False, assign=True)
        model.llm.tie_weights()
        return model.requires_grad_(False).eval()


def tensor_shapes(config: SemanticConfig) -> dict[str, Shape]:
    """Every tensor of a bundle and its shape; the LM head is the embedding and not among them."""
    state = shape_of_model(config).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items() if name != TIED}


def _prefixes(role: Role, split_layer: int) -> tuple[str, ...]:
    if role == "all":
        return ("",)
    if role == "receiver":  # the lower layers too: for what it knows by itself
        return ("llm.", "codec.decoders.", "codec.erasure_D")
    below = (f"llm.model.layers.{layer}." for layer in range(split_layer))
    return ("vision.", "projector.", "llm.model.embed_tokens.", *below, "codec.encoders.")


# --- writing ------------------------------------------------------------------------------------------


def save_bundle(
    path: Path, model: SemanticModel, text_codec: TextCodec, card: str, dtype: torch.dtype = torch.float16
) -> Bundle:
    """Write a model as a bundle, whole or not at all; a bundle that is there already is replaced."""
    state = {name: tensor for name, tensor in model.state_dict().items() if name != TIED}
    tokenizer = text_codec.tokenizer.to_str(pretty=True)
    return write_bundle(path, model.config, state.__getitem__, tokenizer, card, dtype)


def write_bundle(
    path: Path,
    config: SemanticConfig,
    tensor_of: Callable[[str], Tensor],
    tokenizer: str,
    card: str,
    dtype: torch.dtype,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[str], None] | None = None,
) -> Bundle:
    """Write a bundle into a new folder beside `path`, check it, then swap it in for what is at `path`.

    `tensor_of` gives each tensor of `tensor_shapes(config)` when it is written, `tokenizer` is the text of a
    tokenizer.json. Whatever goes wrong, `path` is as it was and nothing is left. Raises `BundleError`,
    OSError.
    """

    def fill(fresh: Path) -> None:
        (fresh / TOKENIZER_FILE).write_text(tokenizer, encoding="utf-8")
        (fresh / CONFIG_FILE).write_text(json.dumps(config.model_dump(), indent=2) + "\n", encoding="utf-8")
        (fresh / CARD_FILE).write_text(card, encoding="utf-8")
        weights = write_tensors(fresh, tensor_shapes(config), tensor_of, dtype, shard_bytes, progress)
        write_manifest(fresh, make_manifest(fresh, weights))
        Bundle.load(fresh)

    write_folder(Path(path), fill)
    return Bundle.load(path)


def write_folder(path: Path, fill: Callable[[Path], object]) -> None:
    """`fill` a new folder beside `path`, then swap it in; whatever goes wrong, `path` is as it was.

    Raises what `fill` raises, and OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        fresh.chmod(0o755)
        fill(fresh)
        _swap_in(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _swap_in(fresh: Path, path: Path) -> None:
    if not path.exists():
        os.replace(fresh, path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
    try:
        os.replace(path, old / "bundle")
        os.replace(fresh, path)
    except OSError:
        if not path.exists():
            os.replace(old / "bundle", path)
        raise
    finally:
        if path.exists():
            shutil.rmtree(old)


# --- reading ------------------------------------------------------------------------------------------


class _BareExceptions:
    """`tokenizers` reports a bad file by a bare `Exception`: that, and no subclass, becomes a BundleError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is Exception:
            raise BundleError(f"{self._path}: not a tokenizer ({one_line(error)})") from None


def read_tokenizer(path: Path, vocab: int, field: str = "llm.vocab") -> TextCodec:
    """A tokenizer.json of at most `vocab` tokens, as `field` of config.json says. Raises `BundleError`."""
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    with _BareExceptions(path):
        codec = TextCodec.from_file(path)
    if codec.vocab_size > vocab:
        raise BundleError(f"{path}: {codec.vocab_size} tokens, {field} allows {vocab}")
    return codec
