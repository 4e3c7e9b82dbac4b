"""The tail of a journal: every event once, whole lines only, whatever the moment of the look."""

import json
from pathlib import Path

from launch.observe.tail import JournalTail
from shared.journal import Journal, read_journal


def test_each_look_gives_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    assert tail.read() == []
    journal = Journal(path, "bs", -1, "here", 1)
    journal.write("invoke", 1.0, request_id="a")
    journal.write("ok", 2.0, request_id="a")
    assert [event["event"] for event in tail.read()] == ["invoke", "ok"]
    assert tail.read() == []
    journal.write("invoke", 3.0, request_id="b")
    assert [event["request_id"] for event in tail.read()] == ["b"]
    journal.close()


def test_a_look_in_the_middle_of_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path, line = tmp_path / "journal.jsonl", json.dumps({"t": 1.0, "event": "invoke", "text": "für"}) + "\n"
    data = line.encode()
    for cut in range(1, len(data)):
        tail = JournalTail(path)
        path.write_bytes(data[:cut])
        assert tail.read() == []
        path.write_bytes(data)
        assert [event["text"] for event in tail.read()] == ["für"]
        assert tail.torn == 0


def test_torn_lines_are_counted_as_the_verdict_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"t":1,"event":"a"}\n{"t":2,"ev{"t":3,"event":"b"}\ngarbage\n')
    tail = JournalTail(path)
    assert [event["event"] for event in tail.read()] == ["a", "b"]
    assert tail.torn == len(read_journal(path).torn) == 2
