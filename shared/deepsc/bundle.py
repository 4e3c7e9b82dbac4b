"""A bundle of DeepSC's or DeepSC-VQA's: the files of any bundle, with the scheme named in config.json.

Only the half that is asked for is built, in float32, whatever the weights are stored in.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from shared.deepsc.config import AnyDeepsc, DeepscConfig, DeepscConfigError, parse_config
from shared.deepsc.text import DeepscText
from shared.deepsc.vqa import DeepscVqa
from shared.semantic.bundle import read_tokenizer, write_folder
from shared.semantic.config_file import read_config
from shared.semantic.manifest import (
    CARD_FILE,
    CONFIG_FILE,
    TOKENIZER_FILE,
    BundleError,
    check_files,
    make_manifest,
    read_manifest,
    write_manifest,
)
from shared.semantic.tokenizer import TextCodec
from shared.semantic.weights import (
    Shape,
    StoredTensor,
    check_tensors,
    read_headers,
    read_tensors,
    write_tensors,
)

End = Literal["sender", "receiver"]


def build(config: AnyDeepsc) -> DeepscText | DeepscVqa:
    """Both ends, with fresh weights."""
    return DeepscText(config) if isinstance(config, DeepscConfig) else DeepscVqa(config)


def tensor_shapes(config: AnyDeepsc) -> dict[str, Shape]:
    """Every tensor of a bundle and its shape."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build(config).state_dict().items()}


@dataclass(frozen=True, slots=True)
class DeepscBundle:
    """A checked bundle on disk."""

    path: Path
    config: AnyDeepsc
    text_codec: TextCodec
    fingerprint: str
    tensors: dict[str, StoredTensor]

    @classmethod
    def load(cls, path: Path, scheme: str) -> "DeepscBundle":
        """The bundle of a scheme, deepsc or deepsc_vqa. Raises `BundleError`."""
        manifest = read_manifest(path)
        check_files(path, manifest)
        try:
            config = parse_config(read_config(path / CONFIG_FILE, scheme), scheme)
        except DeepscConfigError as error:
            raise BundleError(f"{path / CONFIG_FILE}: {error}") from None
        text_codec = read_tokenizer(path / TOKENIZER_FILE, config.vocab, "vocab")
        tensors = read_headers(path / name for name in manifest.weights)
        check_tensors(tensors, tensor_shapes(config), path / manifest.weights[-1])
        return cls(path, config, text_codec, manifest.fingerprint, tensors)

    def end(self, which: End, device: str = "cpu") -> nn.Module:
        """The sender or the receiver, with its weights. Raises `BundleError`."""
        prefix = f"{which}."
        found = read_tensors(stored for name, stored in self.tensors.items() if name.startswith(prefix))
        module: nn.Module = getattr(build(self.config), which)
        module.load_state_dict({name.removeprefix(prefix): t.float() for name, t in found.items()})
        return module.requires_grad_(False).eval().to(device)

    def words(self, text: str) -> list[int]:
        """Token ids of a user's text. Raises ValueError where there are none, or too many."""
        ids = self.text_codec.encode(text)
        if not 1 <= len(ids) <= self.config.text_tokens:
            raise ValueError(f"text: {len(ids)} tokens, 1 to {self.config.text_tokens} are accepted")
        return ids

    def fit(self, text: str) -> str:
        """A text cut to what is accepted: its beginning and its end, each half of it."""
        return self.text_codec.shorten(text, self.config.text_tokens)


def save_deepsc(
    path: Path,
    model: DeepscText | DeepscVqa,
    config: AnyDeepsc,
    text_codec: TextCodec,
    card: str,
    dtype: torch.dtype = torch.float16,
) -> DeepscBundle:
    """Write a model as a bundle, whole or not at all; what is at `path` is replaced.

    Raises `BundleError`, OSError.
    """
    state: dict[str, Tensor] = dict(model.state_dict())

    def fill(fresh: Path) -> None:
        text_codec.tokenizer.save(str(fresh / TOKENIZER_FILE))
        text = json.dumps(config.model_dump(), indent=2)
        (fresh / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
        (fresh / CARD_FILE).write_text(card, encoding="utf-8")
        weights = write_tensors(fresh, tensor_shapes(config), state.__getitem__, dtype)
        write_manifest(fresh, make_manifest(fresh, weights))
        DeepscBundle.load(fresh, config.scheme)

    write_folder(path, fill)
    return DeepscBundle.load(path, config.scheme)
