"""The schemes that send bytes, with the shipped bundle, between the real roles."""

from pathlib import Path
from typing import Any

import pytest

from basestation.byte_plan import BytePipeline as Sender
from basestation.half import make_sender
from basestation.process import warm_up
from basestation.workload_file import WorkloadRequest
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.trace import split_trace
from shared.spec import RoleSpec
from shared.wire.messages import Answer, SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, RandomMischief, workload
from tests.simulation.test_against_transformers import NEW_TOKENS, generated
from tests.simulation.world import World, no_mischief
from userequipment.half import make_receiver

N = 6
SCHEMES = ("webp_ldpc", "caption_ldpc", "answer_only")


def config(scheme: str, snr_db: object = 20.0, **changes: Any) -> RunConfig:
    channel = {"model": "awgn", "snr_db": snr_db} | changes.pop("channel", {})
    run = {"scheme": scheme, "users": 3, "max_group": 3, "max_new_tokens": NEW_TOKENS, "channel": channel}
    return parse_config(run | changes, "test")


def world_of(
    run: RunConfig,
    requests: list[WorkloadRequest] | None = None,
    loss: float = 0.0,
    questions: dict[int, tuple[str, ...]] | None = None,
) -> World:
    """Both halves as the processes make them."""
    spec = RoleSpec("run", "ue", 0, 0, run, Path("nowhere"), "", "", "here")
    sender, receiver = make_sender(spec), make_receiver(spec, questions or {})
    assert sender.fingerprint == receiver.fingerprint
    return World(
        run,
        workload(N) if requests is None else requests,
        images=IMAGES,
        mischief=RandomMischief(7, loss) if loss else no_mischief,
        sender=sender,
        make_receiver=lambda: make_receiver(spec, questions or {}),
    )


def frames_of(world: World) -> list[SymbolFrame]:
    return [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]


@pytest.fixture(scope="module")
def monolithic(bundle: Bundle) -> dict[str, list[int]]:
    """What the whole model says to each request at k = 0, by `transformers`."""
    prompts = make_sender(
        RoleSpec("run", "bs", -1, 0, config("m4sc"), Path("nowhere"), "", "", "here")
    )._sender.prompts  # type: ignore[attr-defined]
    return {
        f"r{w.index:06d}": generated(bundle, prompts, IMAGES[w.image], w.text)
        for w in workload(N)
        if w.image is not None
    }


def test_a_lossless_picture_is_answered_as_the_monolithic_model_does(
    monolithic: dict[str, list[int]],
) -> None:
    world = world_of(
        config("webp_ldpc", split_layer=0, baseline={"quality": "lossless", "codec": "bypass"}), workload(3)
    )
    world.run_workload()
    assert check_invariants(world) == {"ok": 3}
    answers = {m.request_id: list(m.token_ids) for _, _, m in world.sent if isinstance(m, Answer)}
    assert answers == {name: monolithic[name] for name in answers}


def test_answers_alone_are_those_of_the_monolithic_model(
    bundle: Bundle, monolithic: dict[str, list[int]]
) -> None:
    world = world_of(config("answer_only", split_layer=0, baseline={"codec": "bypass"}))
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    said = {e["request_id"]: e["text"] for e in world.events("ok")}
    codec = bundle.text_codec
    assert said == {name: split_trace(codec.decode(ids))[1] for name, ids in monolithic.items()}


def test_a_caption_is_the_scene_that_was_sent_and_questions_are_answered_from_it() -> None:
    requests = [
        WorkloadRequest(i, 0.0, i, task, text, "a")
        for i, (task, text) in enumerate([("caption", ""), ("vqa", "how many?"), ("vqa", "what color?")])
    ]
    world = world_of(config("caption_ldpc", max_new_tokens=None), requests)
    world.run_workload()
    assert check_invariants(world) == {"ok": 3}
    public = [f for f in frames_of(world) if f.stream == "public"]
    assert {f.users for f in public} == {(0, 1, 2)}
    assert next(e["text"] for e in world.events("ok") if e["user"] == 0)


def test_what_several_need_is_on_the_air_once_and_without_sharing_for_each() -> None:
    """Users 0 and 1 ask about image a with different words, user 2 about b; then all ask the same of a."""
    world = world_of(config("webp_ldpc"))
    world.run_workload()
    public = [f for f in frames_of(world) if f.stream == "public"]
    assert {f.users for f in public} == {(0, 1)}
    names = [(f.group_id, f.frame_id) for f in frames_of(world)]
    assert len(names) == len(set(names)), "nothing failed at 20 dB, so nothing is sent twice"

    same = [WorkloadRequest(i, 0.0, i, "vqa", "how many?", "a") for i in range(3)]
    shared, alone = (
        world_of(config("webp_ldpc", sharing={"enabled": enabled}), same) for enabled in (True, False)
    )
    shared.run_workload()
    alone.run_workload()
    assert {f.users for f in frames_of(shared)} == {(0, 1, 2)}
    assert {f.stream for f in frames_of(alone)} == {"private"}
    assert 3 * sum(f.uses for f in frames_of(shared)) == sum(f.uses for f in frames_of(alone))


def test_a_broadcast_is_in_the_scheme_of_its_weakest_receiver() -> None:
    world = world_of(config("webp_ldpc", snr_db=[3.0, 20.0, 20.0]))
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    of = {
        stream: max(f.uses for f in frames_of(world) if f.stream == stream and f.n_tokens > 100)
        for stream in ("public", "private")
    }
    assert of["public"] > 3 * of["private"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_request_ends_over_a_lossy_network_and_the_same_way_again(scheme: str) -> None:
    run = config(scheme, channel={"model": "rayleigh", "side_info": "ldpc"})
    worlds = [world_of(run, loss=0.2) for _ in range(2)]
    for world in worlds:
        world.run_workload()
        assert set(check_invariants(world)) <= {"ok", "degraded", "fail"}
        for e in world.journal:
            e.pop("stage_ms", None), e.pop("latency_ms", None)
    assert worlds[0].journal == worlds[1].journal


def test_what_never_arrives_is_said() -> None:
    """Far below the most robust scheme no block is right: a picture can be missed, a question not."""
    hopeless: dict[str, Any] = {
        "users": 1,
        "retransmission": {"max_attempts": 2},
        "baseline": {"quality": 0, "image_size": 16},
    }
    asked = [WorkloadRequest(0, 0.0, 0, "vqa", "how many?", "a")]
    world = world_of(config("webp_ldpc", snr_db=-12.0, **hopeless), asked)
    world.run_workload()
    assert check_invariants(world) == {"fail": 1}
    assert {e["reason"] for e in world.events("fail")} == {"ue: text lost: 1 of 1 blocks"}

    there = config("webp_ldpc", snr_db=-12.0, question_at="ue", control="image_erased", **hopeless)
    requests = [WorkloadRequest(0, 0.0, 0, "vqa", "", "a", True)]
    world = world_of(there, requests, questions={0: ("how many?", "what color?")})
    world.run_workload()
    assert check_invariants(world) == {"degraded": 1}
    (end,) = world.events("degraded")
    assert end["reason"] == "content lost: 1 of 1 blocks"
    assert end["text"] == end["control_text"], "without the picture there is nothing but the question"
    assert len(end["later"]) == 1


@pytest.mark.parametrize("scheme", ["webp_ldpc", "caption_ldpc"])
def test_questions_asked_at_the_ue_are_answered_as_those_that_are_sent(scheme: str) -> None:
    asked = ("how many cubes?", "what color is the sphere?")
    sent = [WorkloadRequest(i, 0.0, 0, "vqa", text, "a") for i, text in enumerate(asked)]
    world = world_of(config(scheme), sent)
    world.run_workload()
    said = [e["text"] for e in sorted(world.events("ok"), key=lambda e: str(e["request_id"]))]
    there = world_of(
        config(scheme, question_at="ue"),
        [WorkloadRequest(0, 0.0, 0, "vqa", "", "a", True)],
        questions={0: asked},
    )
    there.run_workload()
    (end,) = there.events("ok")
    assert [end["text"], *(text for text, _ in end["later"])] == said


def test_a_picture_beyond_its_budget_is_refused_and_the_base_station_starts_all_the_same() -> None:
    run = config("webp_ldpc", baseline={"image_uses": 20})
    world = world_of(run)
    assert isinstance(world._sender, Sender)
    warm_up(world._sender)
    world.run_workload()
    assert check_invariants(world) == {"refused": N}
    assert {e["reason"] for e in world.events("refused")} == {
        "bad_input: does not fit as webp, at any size and quality"
    }
