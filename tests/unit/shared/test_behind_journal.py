"""What waits for the journal, in which order it goes out, and how much may wait."""

import errno
import os
from pathlib import Path

import pytest

from shared.actions import Action, Compute, Disconnect, Drop, Exit, Record, Send, Tell
from shared.behind_journal import MAX_HELD_BYTES, BehindJournal
from shared.journal import Journal, JournalError
from shared.wire.messages import AnswerAck, Done, Heartbeat, Progress
from tests.unit.shared.samples import side_info


class Place:
    """A journal on a disk that can be full."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch) -> None:
        self.full = False
        self._write = os.write
        patch.setattr(os, "write", self._try)
        self.journal = Journal(path, "bs", -1, "here", 1)
        self.behind = BehindJournal(self.journal)

    def _try(self, fd: int, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(fd, data)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path / "journal.jsonl", monkeypatch)


ACK = Send("ce", AnswerAck(user=1, request_id="r1"))
DONE = Tell(Done(role="bs", user=-1, verb="drain", values={}))


def test_with_room_on_the_disk_nothing_waits(place: Place) -> None:
    place.journal.write("ok", 1.0)
    assert not any(place.behind.takes(action, 1.0) for action in (ACK, DONE, Disconnect("ue:1")))
    assert place.behind.freed(1.0) is None


def test_what_others_would_hear_of_waits_in_order(place: Place) -> None:
    place.full = True
    place.journal.write("ok", 1.0)
    wait: list[Action] = [ACK, Disconnect("ue:1"), DONE]
    pass_: list[Action] = [
        Send("ce", Heartbeat(user=-1, incarnation=0, sequence=1)),
        Tell(Progress(role="bs", user=-1, values={})),
        Compute("x", int),
        Drop("ue:1", side_info(user=1), "loss"),
        Record("info"),
        Exit(0),
    ]
    assert [place.behind.takes(action, 1.0) for action in (*wait, *pass_)] == [True] * 3 + [False] * 6
    assert place.behind.freed(2.0) is None
    place.full = False
    assert place.behind.freed(3.5) == (wait, 2.5)
    assert place.behind.freed(4.0) is None


def test_nothing_overtakes_when_a_later_event_finds_room(place: Place) -> None:
    place.full = True
    place.journal.write("ok", 1.0)
    assert place.behind.takes(ACK, 1.0)
    place.full = False
    place.journal.write("drained", 2.0)
    assert place.behind.takes(DONE, 2.0)
    assert place.behind.freed(2.0) == ([ACK, DONE], 1.0)


def test_too_much_is_an_error(place: Place) -> None:
    place.full = True
    place.journal.write("ok", 1.0)
    big = Send("ce", side_info(user=1, payload=bytes(2**16)))
    fits = MAX_HELD_BYTES // (2**16 + 1_024)
    for _ in range(fits):
        assert place.behind.takes(big, 1.0)
    with pytest.raises(JournalError, match="and more than 64 MiB of messages wait"):
        place.behind.takes(big, 1.0)
