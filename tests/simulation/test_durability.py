"""The base station dies and comes back: what it had taken in goes on, and ends once."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from shared.wire.messages import AnswerAck, AskResult, Cancel, SymbolFrame, UplinkRequest
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, Lose, RandomMischief, config, questions, workload
from tests.simulation.world import World

N = 9


def results(world: World) -> dict[str, tuple[str, str]]:
    """By ask_id; no question may get two different results."""
    found: dict[str, tuple[str, str]] = {}
    for m in world.told("ask_result"):
        assert isinstance(m, AskResult)
        assert found.setdefault(m.ask_id, (m.state, m.reason)) == (m.state, m.reason)
    return found


def killed_and_back(world: World, after_s: float, away_s: float = 1.0) -> None:
    world.at(world.now_s + after_s, lambda: world.kill("bs"))
    world.at(world.now_s + after_s + away_s, lambda: world.come_back("bs"))


def test_a_restarted_base_station_goes_on_with_what_its_predecessor_left() -> None:
    world = World(config(), workload(N), images=IMAGES, decode_s=0.5)
    killed_and_back(world, 0.3)
    world.run_workload()
    world.run(10.0)
    assert check_invariants(world, questions(N)) == {"ok": N}
    resumed = {e["request_id"] for e in world.events("resumed")}
    assert resumed == {f"r{n:06d}" for n in range(6)}
    groups = [m.group_id for _, _, m in world.sent if isinstance(m, SymbolFrame)]
    assert groups == sorted(groups), "no group number is given twice"
    together = [e["requests"] for e in world.events("group")]
    assert together[2] == together[0], "what was a group is one again"


def test_an_answer_to_the_predecessors_transmission_counts_once() -> None:
    """It arrives while the successor still encodes; the UE is not asked to do its work again."""
    world = World(config(), workload(3), images=IMAGES, encode_s=3.0, decode_s=0.5)
    killed_and_back(world, 3.2, away_s=0.1)
    world.run_workload()
    world.run(20.0)
    assert check_invariants(world, questions(3)) == {"ok": 3}
    assert {e["attempts"] for e in world.events("ok")} == {0}, "before anything was sent again"
    assert Counter(e["request_id"] for e in world.events("ue_answer", role="ue")) == {
        f"r{n:06d}": 1 for n in range(3)
    }


def test_an_answer_that_the_predecessor_had_taken_is_late() -> None:
    world = World(config(), workload(3), images=IMAGES, mischief=Lose(AnswerAck, 3))
    world.run_workload()
    assert check_invariants(world, questions(3)) == {"ok": 3}
    world.kill("bs")
    world.come_back("bs")
    world.run(10.0)
    assert check_invariants(world, questions(3)) == {"ok": 3}
    assert {e["request_id"] for e in world.events("late")} == {f"r{n:06d}" for n in range(3)}


def test_the_deadline_counts_from_the_first_time() -> None:
    world = World(config(deadline_ms=8_000), workload(3), images=IMAGES, decode_s=100.0)
    killed_and_back(world, 1.0, away_s=2.0)
    world.run_workload()
    assert check_invariants(world) == {"expired": 3}
    (invoked_s,) = {e["t"] for e in world.events("invoke")}
    assert {round(e["t"] - invoked_s, 3) for e in world.events("expired")} == {8.0}


def test_what_is_past_its_deadline_expires_at_once() -> None:
    world = World(config(deadline_ms=8_000), workload(N), images=IMAGES, decode_s=0.5)
    killed_and_back(world, 0.3, away_s=60.0)
    world.run_workload()
    ends = check_invariants(world)
    assert ends == {"expired": 6, "ok": 3}
    assert {e["t"] for e in world.events("expired")} == {e["t"] for e in world.events("resumed")}


@pytest.mark.parametrize("after_s", [0.01, 0.06, 0.3])
def test_questions_from_outside_are_kept_until_they_end(after_s: float) -> None:
    """While they wait for their window, are encoded, or are with their UEs."""
    world = World(config(), images=IMAGES, decode_s=0.5)
    world.run(1.0)
    world.ask("bs", "by control", 0, "how many?", IMAGES["a"])
    world.ask("ue:1", "by uplink", 1, "which colour?", IMAGES["b"])
    killed_and_back(world, after_s)
    world.run(after_s + 0.5)
    assert len(list((world.disk / "pending").iterdir())) == 2
    world.run(20.0)
    assert check_invariants(world) == {"ok": 2}
    assert results(world) == {"by control": ("answered", ""), "by uplink": ("answered", "")}
    assert list((world.disk / "pending").iterdir()) == []
    world.nodes["bs"].role.quiesce()
    assert list(world.disk.iterdir()) == []


def test_a_repeated_question_of_a_ue_is_known_to_the_successor() -> None:
    """The index map is lost, so the UE repeats its question; what has ended meanwhile is cancelled again."""
    world = World(config(), images=IMAGES, mischief=Lose(Cancel, 1))
    world.run(1.0)
    world.ask("ue:1", "mine", 1, "", IMAGES["a"])
    killed_and_back(world, 0.5, away_s=0.5)
    world.run(20.0)
    assert check_invariants(world) == {"refused": 1}
    assert sum(isinstance(m, UplinkRequest) for _, _, m in world.sent) > 1
    assert results(world) == {"mine": ("refused", "bad_input: text: vqa needs one")}


def test_a_name_that_is_not_the_users_own_is_rejected() -> None:
    world = World(config(), images=IMAGES)
    world.run(1.0)
    question = UplinkRequest(user=1, client_id="u1.0.1", task="vqa", text="?", payload=IMAGES["a"])
    names = ("u2.0.1", "u1.0", "u1./../../x", "r000000", "u1.0.1\n")
    for name in names:
        world.deliver("ue:1", "bs", replace(question, client_id=name))
    assert [e["client_id"] for e in world.events("rejected")] == list(names)
    assert not world.events("invoke")
    assert not (world.disk / "pending").exists()


def test_a_result_that_was_not_heard_is_told_again() -> None:
    """The agent asks again what it has no result of, when the base station is back."""
    world = World(config(), images=IMAGES)
    world.run(1.0)
    world.ask("bs", "mine", 1, "how many?", IMAGES["a"])
    world.run(5.0)
    world.kill("bs")
    world.come_back("bs")
    world.run(1.0)
    world.tells.clear()
    world.ask("bs", "mine", 1, "how many?", IMAGES["a"])
    assert results(world) == {"mine": ("answered", "")}
    assert check_invariants(world) == {"ok": 1}


def test_a_question_that_is_open_is_not_asked_twice() -> None:
    world = World(config(), images=IMAGES)
    world.run(1.0)
    for _ in range(2):
        world.ask("bs", "mine", 1, "how many?", IMAGES["a"])
    world.run(5.0)
    assert check_invariants(world) == {"ok": 1}


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_kept_request_that_cannot_be_read_fails_alone(harm: str) -> None:
    world = World(config(), images=IMAGES, decode_s=5.0)
    world.run(1.0)
    world.ask("bs", "harmed", 0, "how many?", IMAGES["a"])
    world.ask("bs", "whole", 1, "how many?", IMAGES["a"])
    world.run(1.0)
    world.kill("bs")
    file = world.disk / "pending" / "r000000"
    file.unlink() if harm == "gone" else file.write_bytes(file.read_bytes()[:-1] + b"\0")
    world.come_back("bs")
    world.run(30.0)
    assert check_invariants(world) == {"fail": 1, "ok": 1}
    state, reason = results(world)["harmed"]
    assert (state, results(world)["whole"]) == ("failed", ("answered", ""))
    assert reason.startswith("not resumed: kept request ")


def test_an_image_of_the_workload_that_has_vanished_fails_its_requests() -> None:
    images = dict(IMAGES)
    world = World(config(), workload(3), images=images, decode_s=5.0)
    killed_and_back(world, 0.3)
    world.at(world.now_s + 0.5, lambda: images.pop("b"))
    world.run_workload()
    assert check_invariants(world) == {"ok": 2, "fail": 1}
    assert world.events("fail")[0]["reason"] == "not resumed: image: b: cannot be read (no such file)"


def test_a_full_disk_refuses_questions_from_outside_and_no_others() -> None:
    world = World(config(), workload(3), images=IMAGES)
    (world.disk / "pending").write_text("in the way")
    world.run_workload()
    world.ask("bs", "mine", 1, "how many?", IMAGES["a"])
    world.run(1.0)
    assert results(world) == {"mine": ("refused", "cannot be kept (File exists)")}
    assert check_invariants(world) == {"ok": 3, "refused": 1}


def test_nothing_is_drained_before_it_is_taken_up() -> None:
    world = World(config(), workload(3), images=IMAGES, decode_s=1.0)
    world.command("bs", "start")
    world.run(0.5)
    world.kill("bs")
    world.start("bs")
    world.command("bs", "drain")
    assert not world.told("done")
    world.run(20.0)
    assert check_invariants(world) == {"ok": 3}
    assert len(world.told("done")) == 1


RUNS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RUNS
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.2]),
    kills=st.lists(st.integers(0, 60), min_size=1, max_size=4),
)
def test_killed_between_any_two_actions(seed: int, loss: float, kills: list[int]) -> None:
    """Workload, control link and uplink at once; the next kill is armed when the process is back."""
    note(f"seed {seed}")
    world = World(
        config(deadline_ms=20_000),
        workload(N),
        images=IMAGES,
        mischief=RandomMischief(seed, loss),
        encode_s=0.1,
        decode_s=0.3,
        back_after_s=0.4,
    )
    world.run(1.0)
    for n, after in enumerate(kills):
        world.at(world.now_s + 1.5 * n, lambda a=after: world.kill_amid("bs", a))
    for n in range(3):
        at_s = world.now_s + 0.05 + 0.9 * n
        world.at(at_s, lambda n=n: world.ask("bs", f"c{n}", n, f"how many, {n}?", IMAGES["a"]))
        world.at(at_s, lambda n=n: world.ask(f"ue:{n}", f"u{n}", n, f"which, {n}?", IMAGES["b"]))
    world.command("bs", "start")
    world.run(120.0)
    assert world.told("workload_done")
    ends = check_invariants(world)
    if loss == 0.0:
        assert set(ends) == {"ok"}, "a scheduled kill blames nobody"
    invoked = {e["index"]: e for e in world.events("invoke") if e["index"] is not None}
    assert set(invoked) == set(range(N))
    taken_in = {e["ask_id"] for e in world.events("invoke") if e["ask_id"] is not None}
    told = results(world)
    assert {f"u{n}" for n in range(3)} <= set(told), "a UE repeats its question"
    unheard = taken_in - set(told)
    for ask_id in unheard:  # ended, and killed before it was told: the agent asks again
        world.ask("bs", ask_id, int(ask_id[1:]), "again", IMAGES["a"])
    assert taken_in <= set(results(world))
    assert list((world.disk / "pending").glob("*")) == []
