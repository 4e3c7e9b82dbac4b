"""What faults excuse, and what they do not: by hand-made journals."""

from pathlib import Path
from typing import Any

import pytest

from launch.verdict import Verdict, check
from tests.unit.launch.made_run import MadeRun

DRAIN_S = 0.05


def fault(what: str, t: float, **fields: Any) -> dict[str, Any]:
    return {"t": t, "event": "fault", "what": what, "role": "agent", "user": -1, **fields}


@pytest.fixture
def run(tmp_path: Path) -> MadeRun:
    return MadeRun(tmp_path).run()


def put_in(run: MadeRun, event: dict[str, Any]) -> None:
    """In order of time."""
    place = next((n for n, e in enumerate(run.events) if e["t"] > event["t"]), len(run.events))
    run.events.insert(place, event)


def asked_s(run: MadeRun) -> list[float]:
    return [e["t"] for e in run.events if e["event"] == "invoke"]


def end_as(run: MadeRun, request_id: str, event: str, **fields: Any) -> None:
    found = next(e for e in run.events if e["event"] == "ok" and e.get("request_id") == request_id)
    found |= {"event": event, **fields}


def judged(run: MadeRun, heal_s: float | None) -> Verdict:
    if heal_s is not None:
        put_in(run, fault("heal", heal_s))
    return check(run.events, run.rows(), drain_s=DRAIN_S)


def test_whoever_asks_after_the_heal_is_answered(run: MadeRun) -> None:
    assert judged(run, asked_s(run)[0] + 0.001).state == "valid"


def test_a_request_after_heal_and_drain_that_failed_breaks_the_promise(run: MadeRun) -> None:
    heal_s = asked_s(run)[0] + 0.001
    last = next(e for e in reversed(run.events) if e["event"] == "invoke")
    assert last["t"] > heal_s + DRAIN_S
    end_as(run, last["request_id"], "fail", reason="ue_gone")
    verdict = judged(run, heal_s)
    assert verdict.state == "invalid"
    (said,) = [f for f in verdict.findings if f.startswith("not recovered")]
    assert last["request_id"] in said
    assert said.endswith("ended failed (ue_gone)")


def test_a_scenario_that_never_healed_is_unknown(run: MadeRun) -> None:
    verdict = judged(run, None)
    assert verdict.state == "unknown"
    assert "no heal: the run ended before its faults were healed" in verdict.findings


def test_nothing_asked_after_the_heal_proves_no_recovery(run: MadeRun) -> None:
    verdict = judged(run, asked_s(run)[-1] + 0.001)
    assert verdict.state == "unknown"
    assert any(f.startswith("nothing asked") for f in verdict.findings)


def test_a_run_that_refused_everything_until_heal_is_unknown(run: MadeRun) -> None:
    times = asked_s(run)
    heal_s = times[2] + 0.001
    put_in(run, fault("begin", 0.0, fault="pause.0"))
    put_in(run, fault("end", heal_s - 0.0005, fault="pause.0", strikes=1))
    for number in range(3):
        end_as(run, f"r{number:06d}", "refused", reason="busy")
    verdict = judged(run, heal_s)
    assert verdict.state == "unknown"
    assert "nothing served: none of 3 requests before the heal was answered" in verdict.findings


def test_a_fault_that_struck_before_its_emulator_died_did_strike(run: MadeRun) -> None:
    run.events += [
        fault("begin", 1.0, fault="loss.0", strikes=0),
        fault("strike", 1.0, fault="loss.0", strikes=1),
        fault("end", 1.0, fault="loss.0", strikes=0),
        fault("end", 1.0, fault="partition.0", strikes=0),
    ]
    verdict = check(run.events, run.rows())
    assert verdict.findings == ["fault without effect: partition.0 never struck"]


def test_a_kill_that_is_healed_lasts_until_its_role_is_ready(run: MadeRun) -> None:
    """Whoever was open meanwhile is excused; a fault without an end of its own ends with the heal."""
    second, last = asked_s(run)[1], asked_s(run)[-1]
    end_as(run, "r000001", "fail", reason="ue_gone")
    put_in(run, fault("begin", 0.001, fault="kill.0", on="ue-1"))
    put_in(run, fault("heal", 0.002))
    put_in(run, fault("end", second + 0.001, fault="kill.0", on="ue-1", strikes=1))
    assert check(run.events, run.rows()).state == "valid"
    run.events = [e for e in run.events if not (e["event"] == "fault" and e["what"] == "end")]
    assert last > second
    assert check(run.events, run.rows()).state == "unknown"
