"""Kept requests: written whole, read again unchanged, and never believed when damaged."""

import os
import struct
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path

import msgpack
import pytest

from basestation.pending import PendingError, PendingStore, Question
from shared.config import LimitsConfig

LIMITS = LimitsConfig(text_chars=20, image_bytes=1_000)
QUESTION = Question("r000003", 2, "vqa", "wie groß?", bytes(range(256)))


@pytest.fixture
def store(tmp_path: Path) -> PendingStore:
    return PendingStore(tmp_path / "pending", LIMITS)


def file_of(body: bytes, version: int = 1, magic: bytes = b"M4PR") -> bytes:
    return struct.pack(">4sHQ16s", magic, version, len(body), blake2b(body, digest_size=16).digest()) + body


def body_of(**changes: object) -> bytes:
    body: bytes = msgpack.packb(asdict(QUESTION) | changes)
    return body


@pytest.mark.parametrize("question", [QUESTION, replace(QUESTION, request_id="u2.0.14", text="", image=None)])
def test_what_is_kept_is_read_by_another_process(
    store: PendingStore, tmp_path: Path, question: Question
) -> None:
    store.keep(question)
    assert PendingStore(tmp_path / "pending", LIMITS).read(question.request_id) == question
    (file,) = (tmp_path / "pending").iterdir()
    assert file.name == question.request_id
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_what_has_ended_goes_with_the_next_sweep_and_the_folder_with_the_last(
    store: PendingStore, tmp_path: Path
) -> None:
    for name in ("r000001", "r000002"):
        store.keep(replace(QUESTION, request_id=name))
    store.ended("r000001")
    store.ended("r000077")
    assert store.read("r000001"), "not before the journal has its end"
    store.sweep()
    with pytest.raises(PendingError, match="cannot be read"):
        store.read("r000001")
    store.close()
    assert store.read("r000002"), "still open"
    store.ended("r000002")
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_successor_removes_what_is_not_open(store: PendingStore, tmp_path: Path) -> None:
    store.only([])
    for name in ("r000001", "r000002"):
        store.keep(replace(QUESTION, request_id=name))
    (tmp_path / "pending" / "r000003~").write_bytes(b"unfinished")
    store.only(["r000002"])
    assert os.listdir(tmp_path / "pending") == ["r000002"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "damaged: 0 bytes"),
        (file_of(body_of())[:20], "damaged: 20 bytes"),
        (file_of(body_of())[:-1], r"damaged: \d+ bytes of \d+"),
        (file_of(body_of()) + b"x", r"damaged: \d+ bytes of \d+"),
        (file_of(body_of(), magic=b"M4SC"), "damaged: not such a file"),
        (file_of(body_of(), version=2), "version 2, expected 1"),
        (file_of(body_of())[:-1] + b"\0", "damaged: its checksum is another"),
        (file_of(b"\xc1"), "damaged: not msgpack"),
        (file_of(msgpack.packb([1])), "damaged: other fields"),
        (file_of(body_of(more=1)), "damaged: other fields"),
        (file_of(body_of(user="2")), "damaged: user is a str"),
        (file_of(body_of(user=True)), "damaged: user is a bool"),
        (file_of(body_of(image="png")), "damaged: image is a str"),
        (file_of(body_of(request_id="r000004")), "damaged: it is another one"),
        (file_of(body_of(text="x" * 21)), "damaged: it is longer than the limits allow"),
        (file_of(body_of(image=bytes(1_001))), "damaged: it is longer than the limits allow"),
        (file_of(body_of(image=bytes(1_000_000))), r"damaged: \d+ bytes of \d+, at most \d+"),
    ],
)
def test_a_damaged_file_says_what_is_wrong_with_it(
    store: PendingStore, tmp_path: Path, data: bytes, why: str
) -> None:
    (tmp_path / "pending").mkdir()
    (tmp_path / "pending" / "r000003").write_bytes(data)
    with pytest.raises(PendingError, match=why):
        store.read("r000003")


@pytest.mark.parametrize("name", ["", "../r000001", "a/b", ".hidden", "r\0", "x" * 65])
def test_no_name_leads_out_of_the_folder(store: PendingStore, tmp_path: Path, name: str) -> None:
    with pytest.raises(PendingError, match="cannot name a file"):
        store.keep(replace(QUESTION, request_id=name))
    with pytest.raises(PendingError, match="cannot name a file"):
        store.read(name)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "pending").write_text("no folder")
    store = PendingStore(tmp_path / "pending", LIMITS)
    with pytest.raises(PendingError, match=r"^cannot be kept \(File exists\)$"):
        store.keep(QUESTION)
    (tmp_path / "other" / "r000003").mkdir(parents=True)  # the name is taken: all is written but the rename
    store = PendingStore(tmp_path / "other", LIMITS)
    with pytest.raises(PendingError, match="cannot be kept"):
        store.keep(QUESTION)
    assert os.listdir(tmp_path / "other") == ["r000003"]
