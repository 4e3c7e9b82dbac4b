"""Weights on disk: tensors of a model in one or several safetensors files, read by memory map.

A tensor whose type on disk is the type wanted is a view of the mapped file: processes that map the same file
share its pages, and a page is read when it is first touched. Nothing but safetensors is ever read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from shared.outside_text import one_line
from shared.semantic.manifest import WEIGHTS_FILE, BundleError

SHARD_BYTES = 2**30
_FLOATS = {"F16", "BF16", "F32"}

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor is: `file` is a path, `kind` its type in safetensors' terms (F16, BF16, F32)."""

    file: Path
    name: str
    shape: Shape
    kind: str


def read_headers(files: Iterable[Path]) -> dict[str, StoredTensor]:
    """Every tensor in the files, by name; no tensor is read. Raises `BundleError`."""
    found: dict[str, StoredTensor] = {}
    for path in files:
        if not path.is_file():
            raise BundleError(f"{path}: no such file")
        try:
            with safe_open(path, framework="np") as file:
                for name in file.keys():  # noqa: SIM118 (not a dict)
                    part = file.get_slice(name)
                    if name in found:
                        raise BundleError(f"{path}: tensor {name} is in {found[name].file.name} too")
                    found[name] = StoredTensor(path, name, tuple(part.get_shape()), part.get_dtype())
        except (OSError, SafetensorError) as error:
            raise BundleError(f"{path}: not a safetensors file ({one_line(error)})") from None
    return found


def check_tensors(found: Mapping[str, StoredTensor], expected: Mapping[str, Shape], where: Path) -> None:
    """Every tensor is there, with its shape and a float type, and no other is. Raises `BundleError`.

    `where` is the file to name when a tensor is missing.
    """
    for name in expected:
        if name not in found:
            raise BundleError(f"{where}: tensor {name} is missing")
    for name, stored in found.items():
        if name not in expected:
            raise BundleError(f"{stored.file}: tensor {name} is not expected")
        check_tensor(stored, expected[name])


def check_tensor(stored: StoredTensor, expected: Shape) -> None:
    """One tensor's shape and type. Raises `BundleError`."""
    if stored.shape != tuple(expected):
        raise BundleError(
            f"{stored.file}: tensor {stored.name} has shape {list(stored.shape)}, expected {list(expected)}"
        )
    if stored.kind not in _FLOATS:
        raise BundleError(
            f"{stored.file}: tensor {stored.name} has type {stored.kind}, "
            f"expected one of {', '.join(sorted(_FLOATS))}"
        )


def read_tensors(wanted: Iterable[StoredTensor]) -> dict[str, Tensor]:
    """The tensors by name, as views of the mapped files. Raises `BundleError`."""
    by_file: dict[Path, list[str]] = {}
    for stored in wanted:
        by_file.setdefault(stored.file, []).append(stored.name)
    tensors: dict[str, Tensor] = {}
    for path, names in by_file.items():
        try:
            with safe_open(path, framework="pt") as file:
                tensors.update((name, file.get_tensor(name)) for name in names)
        except (OSError, SafetensorError) as error:
            raise BundleError(f"{path}: cannot be read ({one_line(error)})") from None
    return tensors


def write_tensors(
    folder: Path,
    shapes: Mapping[str, Shape],
    tensor_of: Callable[[str], Tensor],
    dtype: torch.dtype,
    shard_bytes: int = SHARD_BYTES,
    progress: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Write tensors file by file and return the files' names; one file's tensors are held at a time.

    `tensor_of` gives a tensor by name when its file's turn has come. A file is larger than `shard_bytes` only
    when a single tensor is. Raises OSError.
    """
    shards = plan_shards(shapes, dtype.itemsize, shard_bytes)
    names: list[str] = []
    for number, shard in enumerate(shards, start=1):
        name = WEIGHTS_FILE if len(shards) == 1 else f"weights-{number:05}-of-{len(shards):05}.safetensors"
        if progress is not None:
            progress(f"{name}: {len(shard)} tensors")
        tensors = {key: tensor_of(key).detach().to("cpu", dtype).contiguous() for key in shard}
        save_file(tensors, folder / name)
        (folder / name).chmod(0o644)
        names.append(name)
    return tuple(names)


def plan_shards(shapes: Mapping[str, Shape], item_bytes: int, shard_bytes: int) -> Sequence[Sequence[str]]:
    """Names, sorted, cut into files of at most `shard_bytes`."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name, shape in sorted(shapes.items()):
        size = item_bytes
        for length in shape:
            size *= length
        if shards[-1] and filled + size > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards
