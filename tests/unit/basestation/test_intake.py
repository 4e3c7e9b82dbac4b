"""Groups, ids, the door, and when the workload is released."""

from dataclasses import replace

import pytest

from basestation.door import Door
from basestation.intake import Intake
from basestation.presence import Presence
from basestation.recovery import Resume
from basestation.workload_feed import WorkloadFeed, arrival_groups
from basestation.workload_file import WorkloadRequest
from shared.config import LimitsConfig, RunConfig
from shared.wire.messages import PeerState


def requests(*arrivals: float) -> list[WorkloadRequest]:
    return [WorkloadRequest(i, t, i % 2, "vqa", f"q{i}", "image") for i, t in enumerate(arrivals)]


def attached(user: int, state: str = "attached", incarnation: int = 0) -> PeerState:
    return PeerState(user=user, incarnation=incarnation, state=state, snr_db=10.0)


def intake(config: RunConfig, workload: list[WorkloadRequest], resume: Resume | None = None) -> Intake:
    presence = Presence(config.users, 5.0)
    presence.open(0.0)
    for user in range(config.users):
        presence.update(attached(user), 0.0)
    return Intake(config, workload, presence, lambda _: b"file", resume or Resume())


def test_groups_follow_arrival_times_from_their_first_request() -> None:
    groups = arrival_groups(requests(0.0, 0.04, 0.05, 0.051, 0.09, 0.2), window_s=0.05, max_group=3)
    assert [[r.index for r in g] for g in groups] == [[0, 1, 2], [3, 4], [5]]
    groups = arrival_groups(requests(*[0.0] * 7), window_s=0.0, max_group=3)
    assert [len(g) for g in groups] == [3, 3, 1]


def test_virtual_arrivals_keep_two_groups_open() -> None:
    feed = WorkloadFeed(requests(0.0, 10.0, 20.0), 0.05, 8, paced=False)
    assert feed.take(0.0, 0) == [], "not started"
    feed.start(0.0)
    assert len(feed.take(0.0, 0)) == 1
    assert len(feed.take(0.0, 1)) == 1
    assert feed.take(0.0, 2) == []
    assert feed.next_wakeup_s() is None
    assert not feed.exhausted
    feed.take(0.0, 1)
    assert feed.exhausted


def test_what_another_incarnation_left_begins_at_once_at_its_own_pace() -> None:
    feed = WorkloadFeed(requests(30.0, 32.5), 0.05, 8, paced=True, continued=True)
    feed.start(100.0)
    assert [r.arrival_s for r in feed.take(100.0, 0)] == [30.0]
    assert feed.take(102.4, 0) == []
    assert feed.next_wakeup_s() == 102.5
    assert [r.arrival_s for r in feed.take(102.5, 0)] == [32.5]


def test_paced_arrivals_wait_for_the_clock_and_for_nothing_else() -> None:
    feed = WorkloadFeed(requests(0.0, 0.04, 2.0), 0.05, 8, paced=True)
    feed.start(100.0)
    assert feed.next_wakeup_s() == 100.04
    assert feed.take(100.03, 0) == []
    assert len(feed.take(100.04, 99)) == 2
    assert feed.admitted_s(requests(0.0)[0], 100.04) == 100.0


def test_the_same_file_gives_the_same_ids_and_groups_whatever_the_clock() -> None:
    def ids(step: float) -> list[list[str]]:
        box = intake(RunConfig(users=2), requests(0.0, 0.01, 0.5, 0.5))
        box.start()
        now, out = 0.0, []
        while not box.workload_released:
            now += step
            out += [[c.record.request_id for c in box.workload_group(now, 0, 0)]]
        return [group for group in out if group]

    assert ids(0.001) == ids(7.0) == [["r000000", "r000001"], ["r000002", "r000003"]]


def test_a_window_closes_by_time_by_size_and_by_drain() -> None:
    box = intake(RunConfig(users=2, window_ms=50, max_group=2), [])
    box.from_outside(0, "vqa", "?", b"file", 1.0, 0, ask_id="a")
    assert box.next_wakeup_s() == 1.05
    assert box.closed_window(1.04) == []
    assert len(box.closed_window(1.05)) == 1
    for i in range(3):
        box.from_outside(0, "vqa", "?", b"file", 2.0, 0, ask_id=str(i))
    assert len(box.closed_window(2.0)) == 2
    assert box.closed_window(2.0) == []
    box.drain()
    assert len(box.closed_window(2.0)) == 1
    assert box.from_outside(0, "vqa", "?", b"file", 3.0, 0).refusal == "draining"


def test_a_restarted_base_station_skips_what_was_invoked_and_numbers_on() -> None:
    resume = Resume(next_request=7, invoked=frozenset({0, 1}))
    box = intake(RunConfig(users=2), requests(0.0, 0.0, 0.0), resume)
    box.start()
    (candidate,) = box.workload_group(0.0, 0, 0)
    assert (candidate.record.request_id, candidate.record.index) == ("r000007", 2)
    assert box.workload_attempted == 3


def test_busy_counts_the_members_of_the_group_before() -> None:
    box = intake(RunConfig(users=2, limits=LimitsConfig(open_requests=2)), requests(0.0, 0.0, 0.0))
    box.start()
    assert [c.refusal for c in box.workload_group(0.0, 0, 1)] == [None, "busy", "busy"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"user": 4}, "no_user"),
        ({"user": -1}, "no_user"),
        ({"reachable": False}, "no_user"),
        ({"task": "translate"}, "bad_input: task: 'translate' is none of vqa, caption, text_classification"),
        ({"task": "caption", "text": ""}, None),
        ({"task": "caption", "image": None}, "bad_input: image: caption needs one"),
        ({"task": "text_classification", "image": None}, None),
        ({"task": "text_classification", "text": ""}, "bad_input: text: text_classification needs one"),
        ({"text": ""}, "bad_input: text: vqa needs one"),
        ({"text": "", "question_at_ue": True}, None),
        ({"text": "", "question_at_ue": True, "image": None}, "bad_input: image: vqa needs one"),
        ({"text": "x" * 11}, "bad_input: text: 11 characters, at most 10"),
        ({"text": "\ud800"}, "bad_input: text: not Unicode (a lone surrogate)"),
        ({"open_requests": 3}, "busy"),
    ],
)
def test_the_door(change: dict[str, object], reason: str | None) -> None:
    door = Door(4, LimitsConfig(text_chars=10, open_requests=3))
    asked = {"user": 3, "task": "vqa", "text": "?", "image": b"file", "open_requests": 2, "reachable": True}
    assert door.refusal(**(asked | change)) == reason  # type: ignore[arg-type]


def test_presence_forgives_a_short_absence_and_ignores_older_incarnations() -> None:
    presence = Presence(2, grace_s=5.0)
    assert presence.reachable(1, 1e9), "nothing is known yet"
    presence.open(10.0)
    assert presence.reachable(1, 15.0)
    assert not presence.reachable(1, 15.1)
    assert presence.update(attached(1, incarnation=1), 20.0)
    assert not presence.update(attached(1, incarnation=1), 20.0), "already there"
    assert not presence.update(attached(1, "detached", incarnation=0), 21.0)
    assert presence.present == {1}
    assert presence.update(attached(1, incarnation=2), 22.0), "a new process has no memory"
    presence.update(attached(1, "detached", incarnation=2), 23.0)
    assert presence.reachable(1, 28.0)
    assert not presence.reachable(1, 28.1)
    assert not presence.update(replace(attached(1), user=2), 30.0)
