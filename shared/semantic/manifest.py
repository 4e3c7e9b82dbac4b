"""What a bundle says of its own files: the format's version, and the size and digest of each file.

`bundle.json`, since format 2:

    {"format": 2,
     "files": {"config.json": {"bytes": 1119, "sha256": "..."},
               "tokenizer.json": {"bytes": 123864, "sha256": "..."},
               "weights.safetensors": {"bytes": 7788344, "sha256": "...", "header_sha256": "..."}}}

Large weights lie in several files, `weights-00001-of-00006.safetensors` and so on. A folder without
`bundle.json` is format 1: the same three files, whose digests are then worked out at every load.

The fingerprint is SHA-256 over the names and digests of these files, so it costs nothing to know. At a load
files up to `READ_WHOLE_BYTES` are read and compared in full; of larger ones the size and the header, which
holds every tensor's name, type, shape and place. `check_all` reads everything.
"""

import hashlib
import json
import mmap
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.outside_text import one_line, parse_json, shown

FORMAT: Final = 2
MANIFEST_FILE, CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE, CARD_FILE = (
    "bundle.json",
    "config.json",
    "tokenizer.json",
    "weights.safetensors",
    "README.md",
)
READ_WHOLE_BYTES = 64 * 2**20
_WEIGHTS = re.compile(r"weights(-\d{5}-of-\d{5})?\.safetensors")
_LENGTH_BYTES = 8  # a safetensors file begins with the length of its header
_MAX_HEADER_BYTES = 100 * 10**6
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class BundleError(ValueError):
    """A bundle that cannot be used; one line that names the file and what is wrong in it."""


class FileRecord(BaseModel):
    """One file. `header_sha256`: of a weights file's header, its length field included."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    bytes: int = Field(ge=0)
    sha256: _Digest
    header_sha256: _Digest | None = None


class Manifest(BaseModel):
    """The files of a bundle that make up its fingerprint; the model card is none of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal[2] = FORMAT
    files: dict[str, FileRecord]

    @property
    def fingerprint(self) -> str:
        lines = "".join(f"{name} {record.sha256}\n" for name, record in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def weights(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.files if _WEIGHTS.fullmatch(name)))

    @property
    def bytes(self) -> int:
        return sum(record.bytes for record in self.files.values())


def read_json(path: Path) -> Any:
    """A JSON file of a bundle, its fields not yet looked at. Raises `BundleError`."""
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: cannot be read ({one_line(error)})") from None
    except ValueError as error:
        raise BundleError(f"{path}: not JSON ({error})") from None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle, its files not yet looked at. Raises `BundleError`."""
    path = folder / MANIFEST_FILE
    if not path.exists():
        return make_manifest(folder, (WEIGHTS_FILE,))
    data = read_json(path)
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise BundleError(f"{path}: format: expected {FORMAT}, found {shown(version)}: for another version")
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = one_line(".".join(str(part) for part in first["loc"]))
        raise BundleError(f"{path}: {place}: {one_line(first['msg'])}") from None
    for name in (CONFIG_FILE, TOKENIZER_FILE):
        if name not in manifest.files:
            raise BundleError(f"{path}: files: {name} is not listed")
    strange = manifest.files.keys() - {CONFIG_FILE, TOKENIZER_FILE, *manifest.weights}
    if strange or not manifest.weights:
        found = f"found {shown(sorted(strange)[0])}" if strange else "none is listed"
        raise BundleError(f"{path}: files: expected weights*.safetensors, {found}")
    for name in manifest.weights:
        if manifest.files[name].header_sha256 is None:
            raise BundleError(f"{path}: files.{name}.header_sha256: missing")
    return manifest


def make_manifest(folder: Path, weights: tuple[str, ...]) -> Manifest:
    """The manifest of the files as they are; reads all of them. Raises `BundleError`."""
    records = {name: record_of(folder / name) for name in (CONFIG_FILE, TOKENIZER_FILE, *weights)}
    return Manifest(files=records)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(manifest.model_dump(exclude_none=True), indent=2)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def record_of(path: Path) -> FileRecord:
    """Size and digests of a file. Raises `BundleError`."""
    header = header_digest(path) if _WEIGHTS.fullmatch(path.name) else None
    return FileRecord(bytes=_size(path), sha256=file_digest(path), header_sha256=header)


def check_files(folder: Path, manifest: Manifest) -> None:
    """What can be known without reading large files in full. Raises `BundleError`."""
    for name, record in manifest.files.items():
        path = folder / name
        _check_size(path, record)
        if record.bytes <= READ_WHOLE_BYTES:
            _check_digest(path, "sha256", file_digest(path), record.sha256)
        elif record.header_sha256 is not None:
            _check_digest(path, "header_sha256", header_digest(path), record.header_sha256)


def check_all(folder: Path, manifest: Manifest) -> None:
    """Every byte of every file. Raises `BundleError`."""
    for name, record in manifest.files.items():
        _check_size(folder / name, record)
        _check_digest(folder / name, "sha256", file_digest(folder / name), record.sha256)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read by memory map. Raises `BundleError`."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            if _size(path):  # an empty file cannot be mapped
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
                    digest.update(view)
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({one_line(error)})") from None
    return digest.hexdigest()


def header_digest(path: Path) -> str:
    """SHA-256 of a safetensors file's header and the length before it. Raises `BundleError`."""
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH_BYTES)
            length = int.from_bytes(start, "little")
            if len(start) < _LENGTH_BYTES or not 0 < length <= _MAX_HEADER_BYTES:
                raise BundleError(f"{path}: not a safetensors file (no header)")
            header = file.read(length)
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({one_line(error)})") from None
    if len(header) < length:
        raise BundleError(f"{path}: not a safetensors file (its header is cut short)")
    return hashlib.sha256(start + header).hexdigest()


def _check_size(path: Path, record: FileRecord) -> None:
    found = _size(path)
    if found != record.bytes:
        raise BundleError(f"{path}: {found} bytes, {MANIFEST_FILE} says {record.bytes} (half-written?)")


def _check_digest(path: Path, field: str, found: str, recorded: str) -> None:
    if found != recorded:
        raise BundleError(f"{path}: {field} is {found[:16]}..., {MANIFEST_FILE} says {recorded[:16]}...")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({one_line(error)})") from None
