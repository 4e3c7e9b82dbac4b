"""A bundle: a folder with `config.json`, `tokenizer.json`, `weights.safetensors` and a model card.

`Bundle.load` checks everything and computes nothing: it reads the configuration, the tokenizer and the
header of the weights, so a process that forks later may call it. Tensors are read, by memory map, when a half
is built.
The fingerprint is SHA-256 over the canonical configuration, the tokenizer and the weights file.

Weights are safetensors only; a pickle is never read.
"""

import hashlib
import json
import mmap
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from shared.semantic.config import SemanticConfig, SemanticConfigError, parse_config
from shared.semantic.model import SemanticModel, empty_model, shape_of_model
from shared.semantic.tokenizer import TextCodec

CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, CARD_FILE = (
    "config.json",
    "tokenizer.json",
    "weights.safetensors",
    "README.md",
)
TIED = "llm.lm_head.weight"
Role = Literal["sender", "receiver", "all"]
_PREFIXES: dict[str, tuple[str, ...]] = {
    "sender": ("vision.", "projector.", "llm.", "codec.encoders."),
    "receiver": ("llm.", "codec.decoders.", "codec.erasure_D"),
    "all": ("",),
}
_FLOATS = {"F16", "BF16", "F32"}


class BundleError(ValueError):
    """A bundle that cannot be used; one line that names the file and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle on disk. `roles` says which half's tensors may be built from it."""

    path: Path
    config: SemanticConfig
    text_codec: TextCodec
    fingerprint: str
    roles: Role

    @classmethod
    def load(cls, path: Path | str, roles: Role = "all") -> "Bundle":
        """Raises `BundleError`."""
        path = Path(path)
        config = _read_config(path / CONFIG_FILE)
        text_codec = _read_tokenizer(path / TOKENIZER_FILE, config)
        _check_header(path / WEIGHTS_FILE, config)
        return cls(path, config, text_codec, _fingerprint(path, config), roles)

    def model(self, role: Role | None = None, dtype: torch.dtype = torch.float32) -> SemanticModel:
        """The model with the tensors that a role needs; the others stay empty (on the meta device)."""
        role = role or self.roles
        if self.roles not in (role, "all"):
            raise BundleError(f"{self.path}: loaded for the {self.roles}, asked for the {role}")
        model = empty_model(self.config)
        tensors: dict[str, Tensor] = {}
        try:
            with safe_open(self.path / WEIGHTS_FILE, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (not a dict)
                    if name.startswith(_PREFIXES[role]):
                        tensors[name] = file.get_tensor(name).to(dtype)
        except (OSError, SafetensorError) as error:
            raise BundleError(f"{self.path / WEIGHTS_FILE}: cannot be read ({_line(error)})") from None
        model.load_state_dict(tensors, strict=False, assign=True)
        model.llm.tie_weights()
        return model.requires_grad_(False).eval()


def save_bundle(
    path: Path, model: SemanticModel, text_codec: TextCodec, card: str, dtype: torch.dtype = torch.float16
) -> Bundle:
    """Write a bundle whole or not at all: into a new folder beside `path`, then swapped in."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        fresh.chmod(0o755)
        tensors = {
            name: tensor.detach().to("cpu", dtype).contiguous()
            for name, tensor in sorted(model.state_dict().items())
            if name != TIED
        }
        save_file(tensors, fresh / WEIGHTS_FILE)
        (fresh / WEIGHTS_FILE).chmod(0o644)
        text_codec.tokenizer.save(str(fresh / TOKENIZER_FILE))
        (fresh / CONFIG_FILE).write_text(
            json.dumps(model.config.model_dump(), indent=2) + "\n", encoding="utf-8"
        )
        (fresh / CARD_FILE).write_text(card, encoding="utf-8")
        bundle = Bundle.load(fresh)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent))
            os.replace(path, old / "bundle")
            os.replace(fresh, path)
            shutil.rmtree(old)
        else:
            os.replace(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Bundle(path, bundle.config, bundle.text_codec, bundle.fingerprint, "all")


def _read_config(path: Path) -> SemanticConfig:
    try:
        return parse_config(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: cannot be read ({_line(error)})") from None
    except json.JSONDecodeError as error:
        raise BundleError(f"{path}: not JSON ({error})") from None
    except SemanticConfigError as error:
        raise BundleError(f"{path}: {error}") from None


class _BareExceptions:
    """`tokenizers` reports a bad file by a bare `Exception`: that, and no subclass, becomes a BundleError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is Exception:
            raise BundleError(f"{self._path}: not a tokenizer ({_line(error)})") from None


def _read_tokenizer(path: Path, config: SemanticConfig) -> TextCodec:
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    with _BareExceptions(path):
        codec = TextCodec.from_file(path)
    if codec.vocab_size > config.llm.vocab:
        raise BundleError(f"{path}: {codec.vocab_size} tokens, llm.vocab allows {config.llm.vocab}")
    return codec


def _check_header(path: Path, config: SemanticConfig) -> None:
    """Every tensor is there, with its shape and a float type, and no other is."""
    if not path.is_file():
        raise BundleError(f"{path}: no such file")
    expected = {
        name: list(t.shape) for name, t in shape_of_model(config).state_dict().items() if name != TIED
    }
    try:
        with safe_open(path, framework="np") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            found = {name: (part.get_shape(), part.get_dtype()) for name, part in slices.items()}
    except (OSError, SafetensorError) as error:
        raise BundleError(f"{path}: not a safetensors file ({_line(error)})") from None
    for name in (*expected, *found):
        if name not in found:
            raise BundleError(f"{path}: tensor {name} is missing")
        if name not in expected:
            raise BundleError(f"{path}: tensor {name} is not expected")
        shape, kind = found[name]
        if shape != expected[name]:
            raise BundleError(f"{path}: tensor {name} has shape {shape}, expected {expected[name]}")
        if kind not in _FLOATS:
            raise BundleError(
                f"{path}: tensor {name} has type {kind}, expected one of {', '.join(sorted(_FLOATS))}"
            )


def _fingerprint(path: Path, config: SemanticConfig) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps(config.model_dump(), sort_keys=True, separators=(",", ":")).encode())
    digest.update(hashlib.sha256((path / TOKENIZER_FILE).read_bytes()).digest())
    with (
        (path / WEIGHTS_FILE).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view,
    ):
        digest.update(hashlib.sha256(view).digest())
    return digest.hexdigest()


def _line(error: object) -> str:
    return " ".join(str(error).split())[:200]
