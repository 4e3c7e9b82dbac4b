"""Events folded into what there is to see."""

from typing import Any

import pytest

from launch.observe.requests import MAX_REQUESTS, Requests
from launch.observe.state import RunState
from shared.token_layout import layout_text, parse_layout


def event(t: float, kind: str, role: str = "bs", user: int = -1, **fields: Any) -> dict[str, Any]:
    return {"t": t, "event": kind, "role": role, "user": user, **fields}


def folded(*events: dict[str, Any], users: int = 2) -> RunState:
    state = RunState(users)
    for each in events:
        state.apply(each)
    return state


ONE_REQUEST = [
    event(10.0, "invoke", user=1, request_id="r", task="vqa", index=3, image="ab"),
    event(10.1, "group", group_id=4, requests=["r"]),
    event(10.2, "tokens", user=1, request_id="r", image_tokens="2D2P"),
    event(10.2, "sent", next_use=900, messages=2, group_id=4),
    event(10.3, "ue_tokens", "ue", 1, request_id="r", image_tokens="2D1P1E"),
    event(10.3, "ue_answer", "ue", 1, request_id="r", text="red", status="degraded"),
    event(10.3, "ue_air", "ue", 1, request_id="r", snr_db=10.0, received_db=7.5, received=[], equalised=[]),
    event(
        10.5, "degraded", user=1, request_id="r", text="red", reason="1 tokens lost", latency_ms=500.0,
        attempts=2, erased_tokens=1, stage_ms={"encode": 3.0},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "phase"),
    [
        (1, "waiting"),
        (2, "encoding"),
        (3, "on the air"),
        (5, "on the air"),
        (6, "answering"),
        (8, "degraded"),
    ],
)
def test_a_request_is_where_its_last_event_says(seen: int, phase: str) -> None:
    view = folded(*ONE_REQUEST[:seen]).requests.get("r")
    assert view is not None
    assert view.phase == phase
    assert (view.state is not None) == (seen == 8)


def test_all_that_is_said_of_a_request_is_kept() -> None:
    state = folded(*ONE_REQUEST)
    view = state.requests.get("r")
    assert view is not None
    assert (view.user, view.task, view.index, view.ask_id, view.group_id) == (1, "vqa", 3, None, 4)
    assert (view.answer, view.latency_ms, view.attempts, view.erased_tokens) == ("red", 500.0, 2, 1)
    assert (view.sent_layout, view.heard_layout) == ("2D2P", "2D1P1E")
    assert layout_text(parse_layout(view.heard_layout)) == "2D1P1E"
    assert state.requests.by_user() == {1: {**dict.fromkeys(state.requests.counts(), 0), "degraded": 1}}
    assert list(state.uses) == [(10.2, 900)]
    assert [(p.user, p.snr_db, p.received_db) for p in state.air] == [(1, 10.0, 7.5)]
    assert state.since_zero(10.5) == 0.5


def test_the_first_end_counts_and_later_events_change_no_phase() -> None:
    late = event(11.0, "ok", user=1, request_id="r", text="blue")
    view = folded(*ONE_REQUEST, late, ONE_REQUEST[2]).requests.get("r")
    assert view is not None
    assert (view.state, view.answer, view.phase) == ("degraded", "red", "degraded")


def test_of_too_many_requests_the_oldest_are_let_go() -> None:
    requests = Requests()
    for number in range(MAX_REQUESTS + 3):
        requests.apply(event(1.0, "invoke", request_id=f"r{number}", user=0))
    assert len(requests) == MAX_REQUESTS
    assert requests.get("r2") is None
    assert [view.request_id for view in requests.latest(2)] == [
        f"r{MAX_REQUESTS + 2}",
        f"r{MAX_REQUESTS + 1}",
    ]


def process(t: float, what: str, role: str = "ue", user: int = 0, **fields: Any) -> dict[str, Any]:
    return event(t, "process", role, user, what=what, **fields)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "not started"),
        ([process(1, "started", incarnation=0)], "starting"),
        ([process(1, "started", incarnation=0), process(2, "ready", incarnation=0)], "up"),
        ([process(1, "ready", incarnation=0), process(2, "detached", "ce", -1, peer="ue:0")], "up"),
        ([process(1, "ready", incarnation=0), process(2, "crashed", "agent", 0, peer="ue-0")], "crashed"),
        (
            [
                process(1, "ready", incarnation=0),
                process(2, "crashed", "agent", 0, peer="ue-0"),
                process(3, "started", incarnation=1),
                process(4, "restarted", "agent", 0, peer="ue-0"),
            ],
            "up",
        ),
        (
            [
                process(1, "ready", incarnation=0),
                process(3, "ready", incarnation=1),
                process(4, "exit", incarnation=0),
            ],
            "up",
        ),
        (
            [
                process(1, "ready", incarnation=0),
                event(2, "fault", "agent", what="begin", fault="pause.0", on="ue-0"),
            ],
            "paused",
        ),
        (
            [
                process(1, "ready", incarnation=0),
                event(2, "fault", "agent", what="begin", fault="pause.0", on="ue-0"),
                event(3, "fault", "agent", what="end", fault="pause.0", on="ue-0"),
            ],
            "up",
        ),
    ],
)
def test_a_process_is_as_its_last_event_says(events: list[dict[str, Any]], state: str) -> None:
    assert folded(*events).processes.state_of("ue-0") == state
    assert folded(*events).processes.state_of("ue-1") == "not started"


def test_faults_are_listed_as_in_a_summary() -> None:
    state = folded(
        event(9.0, "process", what="started"),
        event(10.0, "invoke", request_id="r", user=0),
        event(11.0, "fault", "ce", what="begin", fault="loss.0", strikes=0),
        event(12.0, "fault", "ce", what="end", fault="loss.0", strikes=7),
        event(12.5, "ok", request_id="r", user=0),
        event(13.0, "fault", "agent", what="begin", fault="pause.1", on="ue-0", strikes=0),
    )
    ended, open_ = state.faults()
    assert (ended["begin_s"], ended["end_s"], ended["strikes"], ended["answer_after_s"]) == (1.0, 2.0, 7, 0.5)
    assert (open_["fault"], open_["on"], open_["begin_s"], open_["end_s"]) == ("pause.1", "ue-0", 3.0, None)
