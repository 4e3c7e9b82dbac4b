"""The journal's faults as lines for people."""

from typing import Any

from launch.chaos.timeline import fault_timeline


def event(t: float, name: str, **fields: Any) -> dict[str, Any]:
    return {"t": t, "event": name, **fields}


def test_a_line_a_fault_with_times_from_the_first_request_on() -> None:
    events = [
        event(99.0, "process", what="ready"),
        event(100.0, "invoke", request_id="r0"),
        event(102.0, "fault", what="begin", fault="loss.0", strikes=0),
        event(103.0, "ok", request_id="r0"),
        event(103.5, "fault", what="begin", fault="kill.0", on="bs", strikes=0),
        event(104.25, "fault", what="end", fault="kill.0", on="bs", strikes=1, ready_after_s=0.75),
        event(105.0, "degraded", request_id="r1"),
        event(106.0, "fault", what="end", fault="loss.0", strikes=7),
        event(106.5, "ok", request_id="r2"),
        event(107.0, "fault", what="end", fault="partition.0", strikes=0),
    ]
    loss, kill, never = fault_timeline(events)
    assert loss == {
        "fault": "loss.0", "on": None, "begin_s": 2.0, "end_s": 6.0, "strikes": 7, "ready_after_s": None,
        "answer_after_s": 0.5,
    }  # fmt: skip
    assert kill == {
        "fault": "kill.0", "on": "bs", "begin_s": 3.5, "end_s": 4.25, "strikes": 1, "ready_after_s": 0.75,
        "answer_after_s": 2.25,
    }  # fmt: skip
    assert (never["fault"], never["begin_s"], never["strikes"]) == ("partition.0", None, 0)
    assert never["answer_after_s"] is None


def test_a_run_without_faults_has_no_line() -> None:
    assert fault_timeline([event(1.0, "invoke"), event(2.0, "ok")]) == []
