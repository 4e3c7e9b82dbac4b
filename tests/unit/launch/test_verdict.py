"""The checker against hand-made runs: a good one, and negative controls, each caught and named."""

from pathlib import Path

import pytest

from launch.verdict import check
from launch.verdict.links import UNITS, broken_links
from shared.ledger_rows import LedgerRow, Values
from tests.unit.launch.made_run import MadeRun, frame
from tests.unit.shared.samples import feedback


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


def test_a_ue_that_answers_twice_is_caught_unless_another_process_did(run: MadeRun) -> None:
    again = dict(run.events[index_of(run, "ue_answer", "r000002")])
    run.events.append(again)
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.counts["duplicated"]) == ("invalid", 1)
    assert "duplicate answer: r000002: one process of user 2 answered 2 times" in verdict.findings
    again["pid"] = 2
    assert check(run.events, run.rows()).state == "valid"


def test_another_answer_after_the_first_is_caught_a_copy_is_not(run: MadeRun) -> None:
    run.event("bs", "duplicate_answer", 2, request_id="r000002", text="red", later=())
    assert check(run.events, run.rows()).state == "valid"
    run.events[-1]["text"] = "green"
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert "changed answer: r000002: the UE's answer is not one that came again" in verdict.findings


def test_a_reference_to_another_image_is_caught(run: MadeRun) -> None:
    reference = run.events[index_of(run, "tokens", "r000003")]
    reference["image_of"] = "0:r000000"
    assert check(run.events, run.rows()).state == "valid"
    run.events[index_of(run, "invoke", "r000000")]["image"] = "cd" * 8
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    assert "stale image: r000003 refers to what 0:r000000 brought, another image" in verdict.findings
    reference["image_of"] = "0:r009999"
    assert check(run.events, run.rows()).state == "unknown"


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


def test_a_request_that_was_encoded_twice_may_be_answered_from_either(run: MadeRun) -> None:
    for name in ("r000002", "r000004"):
        place = index_of(run, "tokens", name)
        again = {**run.events[place], "digest": "f" * 32}
        run.events.insert(place + (name == "r000002"), again)
    assert check(run.events, run.rows(), planned=6).state == "valid"


def test_a_decoding_with_tokens_lost_before_the_whole_one_is_no_stale_token(run: MadeRun) -> None:
    place = index_of(run, "ue_tokens", "r000004")
    degraded = [
        {**run.events[place], "pid": 99, "digest": "e" * 32},  # by a process that was killed then
        {**run.events[place + 1], "pid": 99, "text": "?", "status": "degraded"},
    ]
    run.events[place:place] = degraded
    assert check(run.events, run.rows(), planned=6).state == "valid"
    degraded[1]["status"] = "ok"
    assert check(run.events, run.rows(), planned=6).state == "invalid"


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


def kernel_event(run: MadeRun, user: int, sent: int = 0, received: int = 0) -> None:
    """A UE's connection as its ledger has it, and by so many bytes otherwise."""
    own = [row for row in run.rows() if row.key.end == f"ue-{user}"]
    up, down = (
        sum(r.values.wire_bytes for r in own if (r.key.direction, r.key.outcome) == way)
        for way in (("up", "offered"), ("down", "delivered"))
    )
    run.event(
        "ue", "kernel", user, link=f"ue:{user} ce", local="a", remote="b", bytes_sent=up + 10 + sent,
        bytes_retrans=10, bytes_received=down + received, ledger_sent=up, ledger_received=down,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "received", "state"), [(0, 0, "valid"), (1, 0, "invalid"), (0, -1, "invalid")]
)
def test_kernel_and_ledger_must_agree_to_the_byte(run: MadeRun, sent: int, received: int, state: str) -> None:
    kernel_event(run, 1, sent, received)
    verdict = check(run.events, run.rows())
    assert verdict.state == state
    assert verdict.connections_compared == 1
    if state == "invalid":
        for whose in ("link", "ledger"):
            assert any(
                f.startswith("kernel disagrees: ue-1 on ue:1 ce") and f"the {whose} says" in f
                for f in verdict.findings
            )


@pytest.mark.parametrize(("read", "counted", "state"), [(2, 0, "valid"), (2, 1, "invalid"), (1, 0, "valid")])
def test_the_ledger_is_compared_with_all_connections_of_two_ends(
    run: MadeRun, read: int, counted: int, state: str
) -> None:
    """A UE that was restarted had two; one that the other end closed first could not be read."""
    kernel_event(run, 1, sent=100)
    whole = dict(run.events.pop())
    half = {key: whole[key] // 2 for key in ("bytes_sent", "bytes_received", "ledger_received")}
    rest = {key: whole[key] - value for key, value in half.items()}
    kept = {"bytes_retrans": 0, "link": whole["link"], "local": "a", "remote": "b"}
    rest["bytes_sent"] -= 110 + counted
    run.event("ue", "process", 1, what="attached", detail="")  # as once before
    for part in (half, rest)[:read]:
        run.event("ue", "kernel", 1, **kept, **part, ledger_sent=part["bytes_sent"])
    verdict = check(run.events, run.rows())
    assert verdict.state == state, verdict.findings
    assert verdict.connections_compared == read


def test_what_every_end_forgets_to_count_the_kernel_knows(tmp_path: Path) -> None:
    run = MadeRun(tmp_path).run(lost_for=(1,))
    kernel_event(run, 1)
    rows = [row for row in run.rows() if row.key.purpose != "retransmission"]
    verdict = check(run.events, rows)
    assert verdict.state == "invalid"
    assert not any(f.startswith("ledger ends differ") for f in verdict.findings)
    assert any(
        f.startswith("kernel disagrees: ue-1 on ue:1 ce: kernel received") and "the ledger says" in f
        for f in verdict.findings
    )


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
    run.events.insert(1, {**fault, "what": "end", "t": asked_s - 0.0005, "strikes": 1})
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


@pytest.mark.parametrize(
    "fields",
    [{"user": {}}, {"what": []}, {"fault": {}}, {"later": 5}, {"bytes_sent": "1"}, {"bytes_sent": 2**64}],
)
def test_an_event_with_fields_of_other_types_is_as_good_as_torn(
    run: MadeRun, fields: dict[str, object]
) -> None:
    run.events.append({"t": 1.0, "event": "kernel", "role": "bs", "user": 0, **fields})
    verdict = check(run.events, run.rows())
    assert verdict.state == "unknown"
    assert "torn journal: 1 lines cannot be read" in verdict.findings


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


def test_damaged_headers_are_offered_as_what_their_receivers_find(run: MadeRun) -> None:
    """A frame down and a feedback up that cannot be read: conserved; unless one end has not seen them."""
    private, said = frame((1,), 0, 9), feedback(2)
    run.hop("bs", "ce", private)
    run.damaged("ue:1", private)
    run.hop("ue:2", "ce", said)
    run.damaged("bs", said)
    assert check(run.events, run.rows()).findings == []
    run.hop("bs", "ce", private)
    run.damaged("ue:1", private, found=False)
    verdict = check(run.events, run.rows())
    assert verdict.state == "invalid"
    (finding,) = verdict.findings
    assert finding.startswith("ledger ends differ: ce-ue of user 1 down unknown first: offered and arrived")


def test_a_damaged_frame_that_its_link_lost_is_loose_with_it(run: MadeRun) -> None:
    private = frame((1,), 0, 9)
    run.hop("bs", "ce", private)
    run.damaged("ue:1", private, found=False)
    run.event("ce", "process", what="detached", peer="ue:1", detail="silent for 5 s")
    assert not [f for f in check(run.events, run.rows()).findings if f.startswith("ledger ends differ")]


def test_garbage_that_nobody_here_offered_breaks_no_rule(run: MadeRun) -> None:
    run.meters["ce"].unreadable(None, 90, "unknown_peer")
    run.meters["ce"].unreadable("ue:1", 30, "bad_magic")
    run.meters["ue:1"].unreadable("ce", 0, "handshake_failed")
    run.meters["bs"].unreadable("ce", 70, "bad_checksum")
    verdict = check(run.events, run.rows())
    assert (verdict.state, verdict.findings) == ("valid", [])


def test_a_lost_host_leaves_it_unknown_whatever_its_roles_counted(run: MadeRun) -> None:
    """The counters of its UE are missing; what the emulator has from it was offered by nobody."""
    rows = [row for row in run.rows() if row.key.end != "ue-0"]
    assert check(run.events, rows).state == "invalid"
    run.event("agent", "process", 99, what="host_lost", detail="host h2 is lost: gone")
    run.event("agent", "process", 99, what="unreachable", detail="host h2 is lost: gone", peer="ue-0")
    verdict = check(run.events, rows)
    assert (verdict.state, verdict.exit_code) == ("unknown", 3)
    assert "host lost: host h2 is lost: gone" in verdict.findings
    others = [row for row in rows if row.key.end != "ue-1"]
    assert check(run.events, others).state == "invalid"
