"""Requests from outside, kept on disk until they have ended: a restarted base station reads them again.

One file a request, `pending/<request_id>` in the run folder (0600): 'M4PR', version u16, length u64 of the
body, its BLAKE2b-128, the body (big-endian; a msgpack map). Written whole: to another name, synced, renamed.
There are at most `limits.open_requests`, as the door admits no more, each no longer than the limits on text
and image allow. Requests of the workload are not kept here: its file has them.
"""

import contextlib
import hashlib
import os
import re
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import msgpack

from shared.config import LimitsConfig

VERSION = 1
_MAGIC = b"M4PR"
_LEAD = struct.Struct(">4sHQ16s")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.]{0,63}")
_MAX_NAMES_BYTES = 4_096  # ids, task and the map's own keys
_UTF8_BYTES = 4  # of a character, at most


class PendingError(Exception):
    """A request that cannot be kept or read again; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody outside asked. `image` is the file's bytes."""

    request_id: str
    user: int
    task: str
    text: str
    image: bytes | None


_TYPES: dict[str, Any] = {
    "request_id": str, "user": int, "task": str, "text": str, "image": (bytes, type(None)),
}  # fmt: skip


class PendingStore:
    """The folder is made when there is something to keep."""

    def __init__(self, folder: Path, limits: LimitsConfig) -> None:
        self._folder = folder
        self._limits = limits
        self._ended: list[str] = []
        self._max_body = limits.image_bytes + _UTF8_BYTES * limits.text_chars + _MAX_NAMES_BYTES

    def keep(self, question: Question) -> None:
        """On return the question outlives this process, and this machine's power. Raises `PendingError`."""
        path = self._path(question.request_id)
        body = msgpack.packb(asdict(question))
        lead = _LEAD.pack(_MAGIC, VERSION, len(body), _digest(body))
        unfinished = path.with_name(f"{path.name}~")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(lead + body)
                out.flush()
                os.fsync(out.fileno())
            unfinished.rename(path)
            self._sync_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise PendingError(f"cannot be kept ({error.strerror})") from None

    def read(self, request_id: str) -> Question:
        """Raises `PendingError` for a file that is missing, damaged, too long or another request's."""
        try:
            with self._path(request_id).open("rb") as file:
                data = file.read(_LEAD.size + self._max_body + 1)
        except OSError as error:
            raise PendingError(f"kept request cannot be read ({error.strerror})") from None
        content = _content(data, self._max_body)
        if content["request_id"] != request_id:
            raise PendingError("kept request is damaged: it is another one")
        image = content["image"]
        if len(content["text"]) > self._limits.text_chars or len(image or b"") > self._limits.image_bytes:
            raise PendingError("kept request is damaged: it is longer than the limits allow")
        return Question(**content)

    def ended(self, request_id: str) -> None:
        """It has its terminal state; its file goes with the next `sweep`, when the journal says so."""
        self._ended.append(request_id)

    def sweep(self) -> None:
        """Remove what has ended."""
        while self._ended:
            with contextlib.suppress(OSError):  # never kept, or removed before
                self._path(self._ended.pop()).unlink()

    def only(self, open_requests: Iterable[str]) -> None:
        """Remove all but these: what a predecessor had no time to remove."""
        wanted = set(open_requests)
        with contextlib.suppress(OSError):  # there is none, or it can be read as little as written
            for path in self._folder.iterdir():
                if path.name not in wanted:
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing behind, unless something is still open."""
        self.sweep()
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _path(self, request_id: str) -> Path:
        if _NAME.fullmatch(request_id) is None:
            raise PendingError(f"{request_id[:40]!a} cannot name a file")
        return self._folder / request_id

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _content(data: bytes, max_body: int) -> dict[str, Any]:
    """The fields of a file, each of its type. Raises `PendingError`."""
    if len(data) < _LEAD.size:
        raise PendingError(f"kept request is damaged: {len(data)} bytes")
    magic, version, length, digest = _LEAD.unpack_from(data)
    body = data[_LEAD.size :]
    if magic != _MAGIC:
        raise PendingError("kept request is damaged: not such a file")
    if version != VERSION:
        raise PendingError(f"kept request has version {version}, expected {VERSION}")
    if length != len(body) or length > max_body:
        raise PendingError(f"kept request is damaged: {len(body)} bytes of {length}, at most {max_body}")
    if digest != _digest(body):
        raise PendingError("kept request is damaged: its checksum is another")
    try:
        content = msgpack.unpackb(body, raw=False)
    except (ValueError, msgpack.UnpackException):
        raise PendingError("kept request is damaged: not msgpack") from None
    if not isinstance(content, dict) or content.keys() != {field.name for field in fields(Question)}:
        raise PendingError("kept request is damaged: other fields")
    for name, kind in _TYPES.items():
        if not isinstance(content[name], kind) or isinstance(content[name], bool):
            raise PendingError(f"kept request is damaged: {name} is a {type(content[name]).__name__}")
    return content
