import errno
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import MAX_WAITING_BYTES, Journal, JournalError, read_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def make(path: Path, role: str = "bs", user: int = -1) -> Journal:
    return Journal(path, role, user, "here", 42)


def test_lines_have_who_and_when(path: Path) -> None:
    journal = make(path)
    journal.write("ok", 1.5, request_id="r1", user=3, text="zwei\nWürfel")
    journal.close()
    journal.close()
    (line,) = path.read_text().splitlines()
    event = json.loads(line)
    assert event.pop("wall") > 1e9
    assert event == {
        "t": 1.5, "host": "here", "role": "bs", "user": 3, "pid": 42, "event": "ok", "request_id": "r1",
        "text": "zwei\nWürfel",
    }  # fmt: skip
    assert read_journal(path).events[0]["text"] == "zwei\nWürfel"


def test_writers_do_not_interleave(path: Path) -> None:
    def write(n: int) -> None:
        journal = make(path, "ue", n)
        for i in range(200):
            journal.write("ue_answer", float(i), text="x" * (i * 7 % 3_000))
        journal.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    contents = read_journal(path)
    assert len(contents.events) == 800
    assert contents.torn == []


def test_torn_and_foreign_lines_are_reported(path: Path) -> None:
    journal = make(path)
    journal.write("first", 1.0)
    with path.open("ab") as file:
        file.write(b'{"t":2.0,"wall":3.0,"ho')  # a writer was killed in the middle
    journal.write("second", 3.0)
    with path.open("ab") as file:
        file.write(b'\xff\xfe garbage\n[1, 2]\n{"t":true,"event":"x"}\n{"t":4.0,"event":7}\n\n{"t":5\n')
        file.write(b'{"t":NaN,"event":"x"}\n{"t":1e999,"event":"x"}\n{"t":%s,"event":"x"}\n' % (b"9" * 400))
        file.write(b"[" * 100_000)
    journal.close()
    contents = read_journal(path)
    assert [e["event"] for e in contents.events] == ["first", "second"]
    assert [t.number for t in contents.torn] == [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        read_journal(file.name)


@pytest.mark.parametrize(
    "fields", [{"x": float("nan")}, {"x": b""}, {"x": object()}, {"event": "y"}, {"t": 1}, {"pid": 1}]
)
def test_what_is_not_an_event(path: Path, fields: dict[str, Any]) -> None:
    journal = make(path)
    with pytest.raises(JournalError):
        journal.write("bad", 1.0, **fields)
    with pytest.raises(JournalError, match="too long"):
        journal.write("bad", 1.0, x="x" * 2**20)
    journal.close()
    assert path.read_bytes() == b""


class Disk:
    """Stands in for `os.write`: has room for so many bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._write = os.write

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(fd, data[: self.room])
        self.room -= written
        return written


def test_on_a_full_disk_lines_wait_in_order(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, journal = Disk(10_000), make(path)
    monkeypatch.setattr(os, "write", disk.write)
    journal.write("first", 1.0)
    disk.room = 0
    for n in range(3):
        journal.write("waits", 2.0, n=n)
    assert journal.stalled
    assert not journal.flush()
    assert journal.trouble == "No space left on device"
    disk.room = 10_000
    journal.write("last", 3.0)
    assert not journal.stalled
    assert [e.get("n", e["event"]) for e in read_journal(path).events] == ["first", 0, 1, 2, "last"]


@pytest.mark.parametrize("room", [1, 40, 100])
def test_a_line_that_was_cut_short_leaves_nothing_behind(
    path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another writer's line came behind the piece."""
    disk, journal, other = Disk(room), make(path), make(path, "ue", 0)
    blank = journal._blank

    def late(start: int, length: int) -> None:
        monkeypatch.undo()
        other.write("other", 1.5)
        blank(start, length)

    monkeypatch.setattr(os, "write", disk.write)
    monkeypatch.setattr(journal, "_blank", late)
    journal.write("whole", 1.0, text="x" * 200)
    assert journal.stalled
    assert journal.flush()
    contents = read_journal(path)
    assert [e["event"] for e in contents.events] == ["other", "whole"]
    assert contents.torn == []
    assert path.read_bytes().startswith(b"\n" * room + b"{")


def test_a_disk_that_stays_full_is_an_error_in_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make(path)
    monkeypatch.setattr(os, "write", Disk(0).write)
    text = "x" * (MAX_WAITING_BYTES // 8)
    for n in range(7):
        journal.write("waits", float(n), text=text)
    with pytest.raises(JournalError, match="No space left on device, and 8 events wait, more than 4 MiB"):
        journal.write("waits", 8.0, text=text)


def test_other_troubles_of_the_disk_are_errors_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(fd: int, data: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = make(path)
    monkeypatch.setattr(os, "write", broken)
    with pytest.raises(JournalError, match="cannot be written \\(Input/output error"):
        journal.write("ok", 1.0)


def test_paths_that_cannot_be(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        make(path / "in" / "nowhere")
    with pytest.raises(JournalError, match="cannot be read"):
        read_journal(path)
