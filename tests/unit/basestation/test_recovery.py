"""What a restarted base station reads from its predecessor's journal."""

import json
from typing import Any

import pytest

from basestation.recovery import MAX_ASKS, Ended, LeftOpen, Resume, resume_from


def lines(*entries: dict[str, object]) -> list[bytes]:
    return [json.dumps({"role": "bs", **e}).encode() for e in entries]


def invoke(name: str, user: int = 0, **fields: object) -> dict[str, object]:
    return {"event": "invoke", "t": 7.5, "request_id": name, "user": user, "task": "vqa", **fields}


def started(incarnation: int = 0) -> dict[str, object]:
    return {"event": "process", "what": "started", "incarnation": incarnation}


def group(number: int, *names: str) -> dict[str, object]:
    return {"event": "group", "group_id": number, "requests": list(names)}


def encoded(number: int, *names: str) -> dict[str, object]:
    return {"event": "encoded", "group_id": number, "requests": list(names)}


def kill(what: str = "begin", on: str = "bs", **fields: object) -> dict[str, object]:
    return {"role": "agent", "event": "fault", "what": what, "fault": "kill.0", "on": on, **fields}


def deaths(*entries: dict[str, object]) -> dict[str, tuple[int, bool]]:
    """By open request: processes that ended while it was encoded, and whether it was alone at the last."""
    left = resume_from(lines(invoke("r000000"), invoke("r000001"), *entries)).left_open
    return {one.request_id: (one.encoder_deaths, one.alone) for one in left}


def test_an_empty_journal_is_a_fresh_start() -> None:
    assert resume_from([]) == Resume()


def test_open_requests_numbers_and_clock_are_found() -> None:
    journal = lines(
        started(),
        invoke("r000000", 0, index=0),
        invoke("r000001", 1, index=1, admitted_s=7.25),
        invoke("u2.0.1", 2, index=None),
        invoke("r000002", 0, index=None, ask_id="ask-1"),
        group(4, "r000000", "r000001"),
        encoded(4, "r000000", "r000001"),
        {"event": "tokens", "request_id": "r000001", "user": 1},
        {"event": "sent", "group_id": 4, "next_use": 1_234},
        {"event": "resent", "next_use": 1_300},
        {"event": "suspect", "request_id": "r000001", "user": 1, "deaths": 1},
        {"event": "ok", "request_id": "r000000", "user": 0},
        {"role": "ue", "event": "ok", "request_id": "r000001"},
    )
    assert resume_from(journal) == Resume(
        next_request=3,
        next_group=5,
        next_use=1_300,
        invoked=frozenset({0, 1}),
        left_open=(
            LeftOpen("r000001", 1, "vqa", 7.25, index=1, group_id=4, sent=True, ue_deaths=1),
            LeftOpen("u2.0.1", 2, "vqa", 7.5),
            LeftOpen("r000002", 0, "vqa", 7.5, ask_id="ask-1"),
        ),
    )


def test_how_questions_from_outside_ended_is_remembered() -> None:
    resume = resume_from(
        lines(
            invoke("r000000", 1, ask_id="ask-1"),
            invoke("u2.0.1", 2),
            invoke("r000001", 0, index=0),
            {"event": "ok", "t": 8.0, "request_id": "r000000", "user": 1, "reason": "", "text": "red"},
            {"event": "refused", "t": 7.5, "request_id": "u2.0.1", "user": 2, "reason": "busy"},
            {"event": "ok", "t": 8.0, "request_id": "r000001", "user": 0, "reason": "", "text": "red"},
        )
    )
    assert resume.asks == {"ask-1": Ended("ok", 1, "", "red", 500.0)}
    assert resume.uplink == {"u2.0.1": Ended("refused", 2, "busy", "", 0.0)}


def test_of_ended_questions_a_bounded_number_is_remembered() -> None:
    many = [invoke(f"r{n:06d}", ask_id=f"ask-{n}") for n in range(MAX_ASKS + 2)]
    ends = [{"event": "ok", "request_id": f"r{n:06d}", "user": 0} for n in range(MAX_ASKS + 2)]
    asks = resume_from(lines(*many, *ends)).asks
    assert (len(asks), "ask-1" in asks, "ask-2" in asks) == (MAX_ASKS, False, True)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], {"r000000": (0, False), "r000001": (0, False)}),
        ([group(0, "r000000", "r000001")], {"r000000": (1, False), "r000001": (1, False)}),
        ([group(0, "r000001")], {"r000000": (0, False), "r000001": (1, True)}),
        ([group(0, "r000001"), encoded(0, "r000001")], {"r000000": (0, False), "r000001": (0, False)}),
        ([group(0, "r000000"), group(1, "r000001")], {"r000000": (0, False), "r000001": (1, True)}),
        ([group(0, "r000000", "r000001"), started(1)], {"r000000": (1, False), "r000001": (1, False)}),
        (
            [
                group(0, "r000000", "r000001"),
                started(1),
                group(1, "r000000"),
                group(2, "r000001"),
                encoded(1, "r000000"),
            ],
            {"r000000": (0, False), "r000001": (2, True)},
        ),
        (
            [group(0, "r000000", "r000001"), {"event": "refused", "request_id": "r000001"}],
            {"r000000": (1, False)},
        ),
        ([group(0, "r000000"), kill()], {"r000000": (0, False), "r000001": (0, False)}),
        (
            [group(0, "r000000"), {**kill(), "fault": "restart.0"}],
            {"r000000": (0, False), "r000001": (0, False)},
        ),
        (
            [group(0, "r000000"), {**kill(), "fault": "pause.0"}],
            {"r000000": (1, True), "r000001": (0, False)},
        ),
        ([group(0, "r000000"), kill(on="ue-1")], {"r000000": (1, True), "r000001": (0, False)}),
        (
            [group(0, "r000000"), kill(), kill("end", strikes=0)],
            {"r000000": (1, True), "r000001": (0, False)},
        ),
        (
            [group(0, "r000000"), kill(), started(1), kill("end", strikes=1), group(1, "r000000")],
            {"r000000": (1, True), "r000001": (0, False)},
        ),
    ],
)
def test_who_was_in_the_encoder_when_the_process_ended(
    events: list[dict[str, Any]], expected: dict[str, tuple[int, bool]]
) -> None:
    assert deaths(started(), *events) == expected


def test_a_torn_line_is_passed_over() -> None:
    journal = [*lines(invoke("r000000", index=0)), b'{"role": "b', b"[]"]
    assert [one.request_id for one in resume_from(journal).left_open] == ["r000000"]
