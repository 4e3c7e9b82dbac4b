"""The checker against hand-made runs: a good one, and negative controls, each caught and named."""

from pathlib import Path

import pytest

from launch.verdict import check
from launch.verdict.links import UNITS, broken_links
from shared.ledger_rows import LedgerRow, Values
from tests.unit.launch.made_run import MadeRun, frame


@pytest.fixture
def run(tmp_path: Path) -> MadeRun:
    return MadeRun(tmp_path).run()


def index_of(run: MadeRun, event: str, request_id: str) -> int:
    return next(
        place
        for place, e in enumerate(run.events)
        if e["event"] == event and e.get("request_id") == request_id
    )


def test_a_good_run_is_valid(run: MadeRun) -> None:
    verdict = check(run.events, run.rows(), planned=6)
    assert (verdict.state, verdict.exit_code, verdict.findings) == ("valid", 0, [])
    assert verdict.counts["attempted"] == verdict.counts["answered"] == 6
    assert all(verdict.counts[name] == 0 for name in ("lost", "duplicated", "misdelivered", "failed"))


def test_a_duplicate_answer_is_caught(run: MadeRun) -> None:
    run.events.append(dict(run.events[index_of(run, "ok", "r000002")]))
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.exit_code) == ("invalid", 1)
    assert verdict.counts["duplicated"] == 1
    assert any(f.startswith("duplicate answer: r000002") for f in verdict.findings)


def test_a_forgotten_request_is_caught(run: MadeRun) -> None:
    del run.events[index_of(run, "ok", "r000003")]
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert verdict.counts["lost"] == 1
    assert any(f.startswith("lost request: r000003 of user 0") for f in verdict.findings)


def test_a_request_open_when_the_run_was_cut_short_is_unknown_not_lost(run: MadeRun) -> None:
    del run.events[index_of(run, "ok", "r000005") :]
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.exit_code) == ("unknown", 3)
    assert (verdict.counts["lost"], verdict.counts["unresolved"]) == (0, 1)
    assert any(f.startswith("cut short") for f in verdict.findings)


def test_an_answer_to_the_wrong_user_is_caught(run: MadeRun) -> None:
    run.events[index_of(run, "ue_answer", "r000001")]["user"] = 2
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert verdict.counts["misdelivered"] == 1
    assert any(
        f.startswith("wrong user: r000001 of user 1 was answered for user 2") for f in verdict.findings
    )


def test_a_stale_token_is_caught_by_its_digest(run: MadeRun) -> None:
    run.events[index_of(run, "ue_tokens", "r000004")]["digest"] = "e" * 32
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert any(f.startswith("token mismatch: r000004") and "eeeeeeeeeeee" in f for f in verdict.findings)


def test_an_answer_changed_on_its_way_is_caught(run: MadeRun) -> None:
    run.events[index_of(run, "ok", "r000000")]["text"] = "green"
    verdict = check(run.events, run.rows())
    assert any(f.startswith("changed answer: r000000") for f in verdict.findings)


def test_a_later_answer_changed_on_its_way_is_caught(run: MadeRun) -> None:
    said, kept = (run.events[index_of(run, event, "r000000")] for event in ("ue_answer", "ok"))
    said["later"], kept["later"] = [["two", None]], [["two", None]]
    assert check(run.events, run.rows(), planned=6).state == "valid"
    kept["later"] = [["three", None]]
    verdict = check(run.events, run.rows(), planned=6)
    assert any(f.startswith("changed answer: r000000") for f in verdict.findings)
    assert verdict.state == "invalid"


def test_a_missing_retransmission_row_is_caught_at_either_end(tmp_path: Path) -> None:
    run = MadeRun(tmp_path).run(lost_for=(1,))
    assert check(run.events, run.rows(), whole_run_faults=["loss"]).state == "valid"
    for end in ("bs", "ce", "ue-1"):
        rows = [
            row
            for row in run.rows()
            if not (row.key.purpose == "retransmission" and row.key.end == end and row.key.klass == "private")
        ]
        verdict = check(run.events, rows, whole_run_faults=["loss"])
        assert verdict.state == "invalid"
        assert any(
            f.startswith("ledger ends differ") and "private retransmission" in f for f in verdict.findings
        )


@pytest.mark.parametrize("unit", UNITS)
def test_one_byte_too_many_at_one_end_is_caught(run: MadeRun, unit: str) -> None:
    rows = run.rows()
    place = next(i for i, row in enumerate(rows) if row.key.end == "ue-2" and row.key.klass == "side")
    values = rows[place].values
    rows[place] = LedgerRow(rows[place].key, values._replace(**{unit: getattr(values, unit) + 1}))
    verdict = check(run.events, rows)
    assert any(
        f.startswith("ledger ends differ: ce-ue of user 2 down side") and unit in f for f in verdict.findings
    )


def test_a_frame_that_vanishes_inside_the_emulator_is_caught(run: MadeRun) -> None:
    message = frame((0, 1, 2), 7, 0)
    run.hop("bs", "ce", message)  # arrives, and nothing comes out
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert any(
        f == "emulator not conserved: down public: 6 frames to deliver, 3 sent on or dropped for a reason"
        for f in verdict.findings
    )


def test_frames_under_way_when_a_ue_died_are_forgiven_only_if_the_journal_says_so(run: MadeRun) -> None:
    from shared.meter import Sizes

    message = frame((1,), 8, 0)
    run.hop("bs", "ce", message)
    run.meters["ce"].offered("ue:1", message, Sizes(90, len(message.payload)))
    assert check(run.events, run.rows()).state == "invalid"
    run.event("ce", "process", what="detached", peer="ue:1", incarnation=0, detail="silent for 5 s")
    assert check(run.events, run.rows()).state == "valid"


def test_a_broken_connection_never_delivers_more_than_was_offered(run: MadeRun) -> None:
    run.event("agent", "process", what="crashed", peer="ue-1", detail="signal 9")
    rows = run.rows()
    place = next(i for i, row in enumerate(rows) if row.key.end == "ue-1" and row.key.klass == "side")
    rows[place] = LedgerRow(rows[place].key, rows[place].values.plus(Values(frames=1)))
    assert check(run.events, rows).state == "invalid"


@pytest.mark.parametrize(
    ("sent", "received", "state"), [(0, 0, "valid"), (1, 0, "invalid"), (0, -1, "invalid")]
)
def test_kernel_and_ledger_must_agree_to_the_byte(run: MadeRun, sent: int, received: int, state: str) -> None:
    run.event(
        "ue", "kernel", 1, link="ce", local="a", remote="b", bytes_sent=1010 + sent, bytes_retrans=10,
        bytes_received=500 + received, ledger_sent=1000, ledger_received=500,
    )  # fmt: skip
    verdict = check(run.events, run.rows())
    assert verdict.state == state
    assert verdict.connections_compared == 1
    if state == "invalid":
        assert any(f.startswith("kernel disagrees: ue-1 on ce") for f in verdict.findings)


def test_too_few_answers_leave_the_verdict_open(run: MadeRun) -> None:
    place = index_of(run, "ok", "r000000")
    run.events[place] |= {"event": "expired", "reason": "deadline"}
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.counts["expired"]) == ("unknown", 1)
    assert any(f.startswith("too few answered: 5 of 6") for f in verdict.findings)


def test_requests_inside_a_fault_window_need_no_answer(run: MadeRun) -> None:
    place = index_of(run, "ok", "r000000")
    run.events[place] |= {"event": "expired", "reason": "deadline"}
    run.events.insert(0, {"event": "fault", "what": "begin", "fault": "loss", "role": "ce", "user": -1})
    heal = index_of(run, "invoke", "r000001")
    run.events.insert(heal, {"event": "fault", "what": "heal", "role": "ce", "user": -1})
    assert check(run.events, run.rows()).state == "valid"


@pytest.mark.parametrize(("on", "state"), [("ue-0", "valid"), ("ue-1", "unknown"), ("bs", "valid")])
def test_a_fault_on_a_user_excuses_that_user_alone(run: MadeRun, on: str, state: str) -> None:
    """Here one that left for good: its window has no end."""
    run.events[index_of(run, "ok", "r000000")] |= {"event": "fail", "reason": "user_left"}
    run.events.insert(0, {"event": "fault", "what": "begin", "fault": "leave.0", "on": on, "t": 0.0})
    assert check(run.events, run.rows()).state == state


def test_a_line_that_waited_for_the_disk_counts_by_its_time(run: MadeRun) -> None:
    place = index_of(run, "ok", "r000000")
    run.events[place] |= {"event": "expired", "reason": "deadline"}
    asked_s = run.events[index_of(run, "invoke", "r000000")]["t"]
    fault = {"event": "fault", "fault": "disk_full.0", "on": "bs", "role": "agent"}
    run.events.insert(0, {**fault, "what": "begin", "t": asked_s - 0.001})
    run.events.insert(1, {**fault, "what": "end", "t": asked_s - 0.0005})
    assert check(run.events, run.rows()).state == "unknown"
    run.events[1]["t"] = asked_s + 0.0005
    assert check(run.events, run.rows()).state == "valid"


def test_a_users_bad_input_is_no_fault_of_the_system(run: MadeRun) -> None:
    run.events[index_of(run, "ok", "r000000")] |= {"event": "refused", "reason": "bad_input: text: too long"}
    assert check(run.events, run.rows()).state == "valid"


def test_a_scheduled_fault_that_never_struck_leaves_the_verdict_open(run: MadeRun) -> None:
    verdict = check(run.events, run.rows(), whole_run_faults=["loss"])
    assert verdict.state == "unknown"
    assert "fault without effect: loss was scheduled and never struck" in verdict.findings


@pytest.mark.parametrize(
    ("change", "start"),
    [({"torn_lines": 1}, "torn journal"), ({"planned": 7}, "cut short: 6 of 7")],
)
def test_doubts(run: MadeRun, change: dict[str, int], start: str) -> None:
    verdict = check(run.events, run.rows(), **change)  # type: ignore[arg-type]
    assert verdict.state == "unknown"
    assert any(f.startswith(start) for f in verdict.findings)


def test_an_interrupted_run_is_unknown(run: MadeRun) -> None:
    run.event("agent", "process", what="interrupted", detail="SIGINT")
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.findings) == ("unknown", ["cut short: interrupted: SIGINT"])


@pytest.mark.parametrize(
    ("event", "broken"),
    [
        ({"role": "ce", "what": "detached", "peer": "ue:3", "detail": "silent for 5 s"}, {"ue-3"}),
        ({"role": "ce", "what": "detached", "peer": "ue:3", "detail": "said goodbye"}, set()),
        ({"role": "agent", "user": 2, "what": "crashed", "detail": "signal 9"}, {"ue-2"}),
        ({"role": "agent", "user": -1, "what": "killed", "detail": "ue-4"}, {"ue-4"}),
        ({"role": "agent", "user": -1, "what": "crashed", "detail": "exit 1"}, {"bs", "ce"}),
        ({"role": "bs", "user": -1, "what": "crashed", "detail": "x"}, {"bs"}),
        ({"role": "ue", "user": 1, "what": "attached"}, set()),
    ],
)
def test_whose_connection_broke(event: dict[str, object], broken: set[str]) -> None:
    assert broken_links([{"event": "process", **event}]) == broken


def test_nothing_at_all_is_unknown() -> None:
    verdict = check([], [])
    assert (verdict.state, verdict.exit_code) == ("unknown", 3)


def test_many_findings_of_a_kind_are_summed_up(tmp_path: Path) -> None:
    run = MadeRun(tmp_path).run(requests=20)
    events = [e for e in run.events if e["event"] != "ok"]
    verdict = check(events, run.rows())
    assert sum(f.startswith("lost request: r") for f in verdict.findings) == 5
    assert "lost request: 15 more like this" in verdict.findings
    assert verdict.counts["lost"] == 20
