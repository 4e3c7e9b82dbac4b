"""What a restarted base station reads from its predecessor's journal."""

import json

from basestation.recovery import Resume, resume_from


def lines(*entries: dict[str, object]) -> list[bytes]:
    return [json.dumps({"role": "bs", **e}).encode() for e in entries]


def test_an_empty_journal_is_a_fresh_start() -> None:
    assert resume_from([]) == Resume()


def test_open_requests_numbers_and_clock_are_found() -> None:
    journal = lines(
        {"event": "invoke", "request_id": "r000000", "user": 0, "index": 0},
        {"event": "invoke", "request_id": "r000001", "user": 1, "index": 1},
        {"event": "invoke", "request_id": "u2.0.1", "user": 2, "index": None},
        {"event": "group", "group_id": 4, "requests": []},
        {"event": "sent", "group_id": 4, "next_use": 1_234},
        {"event": "resent", "next_use": 1_300},
        {"event": "ok", "request_id": "r000000", "user": 0},
        {"role": "ue", "event": "ok", "request_id": "r000001"},
    )
    assert resume_from(journal) == Resume(
        next_request=2,
        next_group=5,
        next_use=1_300,
        invoked=frozenset({0, 1}),
        uplink=frozenset({"u2.0.1"}),
        left_open=(("r000001", 1), ("u2.0.1", 2)),
    )


def test_a_torn_line_is_passed_over() -> None:
    journal = [
        *lines({"event": "invoke", "request_id": "r000000", "user": 0, "index": 0}),
        b'{"role": "b',
        b"[]",
    ]
    assert resume_from(journal).left_open == (("r000000", 0),)
