"""The real pipelines (shipped bundle) between the real roles: only clock and network are made up."""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from torch import Tensor

from basestation.foresight import Foresight
from basestation.pipeline import AdmittedRequest, GroupPipeline
from basestation.process import warm_up as warm_up_sender
from basestation.workload_file import WorkloadRequest
from shared.air.side_code import BLOCK_BITS, uses_of
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.semantic.whole import WholeModel
from shared.token_layout import parse_layout
from shared.token_runs import TokenState
from shared.wire.messages import Feedback, Message, SideInfo, SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, RandomMischief, workload
from tests.simulation.world import Mischief, World, no_mischief
from userequipment.channel_decode import Air
from userequipment.combine import combined_snr_db
from userequipment.pipeline import RequestPipeline
from userequipment.warm_up import warm_up_receiver

N = 6


def world_of(
    bundle: Bundle, config: RunConfig, loss: float, asked: Sequence[WorkloadRequest] | None = None
) -> World:
    sender = SemanticSender(bundle, config.split_layer, "cpu", config.channel.codec)
    receiver = SemanticReceiver(bundle, config.split_layer, "cpu", config.channel.codec)
    warm_up_sender(GroupPipeline(config, sender))
    warm_up_receiver(receiver)
    return World(
        config,
        workload(N) if asked is None else asked,
        images=IMAGES,
        mischief=RandomMischief(7, loss) if loss else no_mischief,
        sender=GroupPipeline(config, sender, clock=lambda: 0.0),
        receiver=RequestPipeline(config, receiver, clock=lambda: 0.0),
    )


@pytest.mark.parametrize(
    "channel",
    [
        {"model": "ideal", "codec": "bypass", "sample_format": "cf32"},
        {"model": "awgn", "snr_db": 10.0},
        {"model": "rayleigh", "snr_db": [0.0, 10.0, 20.0], "csi": "pilots"},
        {"model": "rayleigh", "csi": "genie", "coherence": "uses", "coherence_uses": 64},
        {"model": "tdl_c", "delay_spread_ns": 300.0, "snr_db": 15.0, "estimator": "lmmse"},
        {"model": "lam_msc", "csi": "genie", "coherence": "uses", "coherence_uses": 100},
        {"model": "awgn", "snr_db": [3.0, 12.0, 20.0], "mode": "digital"},
        {"model": "rician", "k_factor_db": 3.0, "snr_db": 5.0, "estimator": "lmmse", "pilot_uses": 2},
    ],
)
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_every_request_is_answered_over_every_kind_of_air(
    bundle: Bundle, channel: dict[str, object], loss: float
) -> None:
    config = parse_config({"users": 3, "max_group": 3, "channel": channel}, "test")
    world = world_of(bundle, config, loss)
    world.run_workload()
    ends = check_invariants(world)
    assert set(ends) <= {"ok", "degraded"} if loss else ends == {"ok": N}
    public = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame) and len(m.users) > 1]
    assert public, "two of three users ask about one image: it is sent once"


def frames_at(bundle: Bundle, rate: dict[str, Any]) -> list[SymbolFrame]:
    """What the base station sends at an operating point, with every request answered."""
    channel = {"model": "awgn", "snr_db": 15.0}
    config = parse_config({"users": 3, "max_group": 3, "channel": channel, "rate": rate}, "test")
    world = world_of(bundle, config, 0.0)
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    return [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]


def test_at_an_operating_point_an_image_costs_its_salient_tokens_and_their_first_uses(bundle: Bundle) -> None:
    frames = frames_at(bundle, {"image_tokens": 16, "image_eighths": 4})
    of_images = [f for f in frames if f.uses_per_token == 7]
    images_sent = len({(f.group_id, f.stream, f.users) for f in of_images})
    assert images_sent
    assert sum(f.n_tokens * f.uses_per_token for f in of_images) == images_sent * 16 * 7
    assert {f.uses_per_token for f in frames} == {7, 14}


def test_of_each_word_the_first_uses_are_sent_and_heard(bundle: Bundle) -> None:
    assert {f.uses_per_token for f in frames_at(bundle, {"text_eighths": 4})} == {7, 14}


def test_of_unequal_users_what_both_get_is_sent_once(bundle: Bundle) -> None:
    """Users 0 and 1 ask about one image: 16 tokens go to both, 24 more to user 1 alone."""
    rate = {"image_tokens": [16, 40, None], "image_eighths": 7}
    sharing = {"similar": "nowhere"}
    config = parse_config({"users": 3, "max_group": 3, "rate": rate, "sharing": sharing}, "test")
    world = world_of(bundle, config, 0.0)
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    frames = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]
    tokens: dict[tuple[int, ...], int] = {}
    for f in frames:
        if f.uses_per_token == 13 and f.group_id == 0:
            tokens[f.users] = tokens.get(f.users, 0) + f.n_tokens
    assert tokens == {(0, 1): 16, (1,): 24, (2,): 100}
    assert {e["user"]: _states(e) for e in world.events("tokens") if e["request_id"] in _group_0(world)} == {
        0: {TokenState.PUBLIC: 16, TokenState.UNSELECTED: 84},
        1: {TokenState.PUBLIC: 16, TokenState.PRIVATE: 24, TokenState.UNSELECTED: 60},
        2: {TokenState.PRIVATE: 100},
    }


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_the_journal_tells_what_became_of_each_image_token_and_what_was_heard(
    bundle: Bundle, loss: float
) -> None:
    """Both ends tell the same layout, but for tokens that were lost; and every decoding shows symbols."""
    config = parse_config({"users": 3, "max_group": 3, "retransmission": {"max_attempts": 1}}, "test")
    world = world_of(bundle, config, loss)
    world.run_workload()
    check_invariants(world)
    for user in range(config.users):
        world.command(f"ue:{user}", "drain")
    world.run(60.0, until=lambda: len([m for m in world.told("done") if m.verb == "drain"]) == config.users)
    sent = {e["request_id"]: parse_layout(e["image_tokens"]) for e in world.events("tokens")}
    heard = {e["request_id"]: e for e in world.events("ue_tokens", role="ue")}
    lost = 0
    for name, event in heard.items():
        layout = parse_layout(event["image_tokens"])
        differing = {state for state, was in zip(layout, sent[name], strict=True) if state is not was}
        assert differing <= {TokenState.ERASED}
        lost_here = layout.count(TokenState.ERASED)
        assert lost_here <= event["erased_tokens"]
        lost += lost_here
    assert bool(lost) == bool(loss)
    seen = {e["request_id"]: e for e in world.events("ue_air", role="ue")}
    assert seen
    assert seen.keys() <= heard.keys()
    assert loss or len(seen) == len(heard) == N
    assert all(len(e["received"]) == len(e["equalised"]) == config.journal.symbols for e in seen.values())


def _states(event: Mapping[str, Any]) -> Counter[TokenState]:
    return Counter(parse_layout(event["image_tokens"]))


def _group_0(world: World) -> set[str]:
    return {name for e in world.events("group") if e["group_id"] == 0 for name in e["requests"]}


def test_tokens_chosen_by_the_question_are_those_that_its_reasoning_names(bundle: Bundle) -> None:
    """What the questions of two users about one image have in common is sent once (13 uses: of an image)."""
    rate = {"selection": "question", "image_eighths": 7}
    channel = {"model": "awgn", "snr_db": 15.0}
    config = parse_config({"users": 2, "max_group": 2, "channel": channel, "rate": rate}, "test")
    whole = WholeModel(bundle)
    foresight, named = Foresight(whole), dict[str, set[int]]()

    def foresee(request: AdmittedRequest, image_ND: Tensor, text_nD: Tensor) -> tuple[int, ...]:
        found = foresight(request, image_ND, text_nD)
        if request.request_id.startswith("r"):
            named[request.request_id] = set(found)
        return found

    pipeline = GroupPipeline(config, whole.sender, clock=lambda: 0.0, foresee=foresee)
    receiver = SemanticReceiver(bundle)
    asked = [
        WorkloadRequest(0, 0.0, 0, "vqa", "how many cubes are there", "a"),
        WorkloadRequest(1, 0.0, 1, "vqa", "how many things are there", "a"),
    ]
    world = World(
        config,
        asked,
        images=IMAGES,
        mischief=no_mischief,
        sender=pipeline,
        receiver=RequestPipeline(config, receiver, clock=lambda: 0.0),
    )
    world.run_workload()
    assert check_invariants(world) == {"ok": 2}
    first, second = named["r000000"], named["r000001"]
    assert len(first | second) > 0
    sent: Counter[tuple[int, ...]] = Counter()
    for _, name, m in world.sent:
        if name == "bs" and isinstance(m, SymbolFrame) and m.uses_per_token == 13:
            sent[m.users] += m.n_tokens
    wanted = {(0, 1): len(first & second), (0,): len(first - second), (1,): len(second - first)}
    assert sent == Counter({users: count for users, count in wanted.items() if count})


def test_faint_frames_are_sent_again_and_combined(bundle: Bundle) -> None:
    """One gain a request, so a repetition wins 3 dB: a frame comes until it has 8 dB, at most three times."""
    channel = {"model": "rayleigh", "csi": "genie", "snr_db": 8.0}
    changes = {"retransmission": {"least_snr_db": 8.0}}
    config = parse_config({"users": 3, "max_group": 3, "channel": channel, **changes}, "test")
    world = world_of(bundle, config, 0.0)
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    copies: dict[tuple[int, int, int], list[SymbolFrame]] = {}
    for _, name, message in world.sent:
        if name == "ce" and isinstance(message, SymbolFrame):
            copies.setdefault((message.users[0], message.group_id, message.frame_id), []).append(message)
    counts = {len(of_one) for of_one in copies.values()}
    assert counts == {1, 2, 3} or counts == {1, 3}
    for (user, _, _), of_one in copies.items():
        snr_db = combined_snr_db(of_one, Air(config.channel, config.channel.snr_db_of(user)))
        assert snr_db >= 8.0 or len(of_one) == 3
        if len(of_one) > 1:
            assert combined_snr_db(of_one[:-1], Air(config.channel, 8.0)) < 8.0, "asked for without need"
            gains = {block[1] for frame in of_one for block in frame.genie_blocks}
            assert len(gains) == 1, "the same gain again: no diversity within a block"


def test_digital_frames_come_until_their_blocks_are_right(bundle: Bundle) -> None:
    """One gain a request: what fails once is helped by new redundancy, at most three times in all."""
    channel = {"model": "rayleigh", "snr_db": 14.0, "mode": "digital", "quantiser_bits": 3}
    config = parse_config({"users": 3, "max_group": 3, "channel": channel}, "test")
    world = world_of(bundle, config, 0.0)
    world.run_workload()
    assert set(check_invariants(world)) <= {"ok", "degraded"}
    copies: dict[tuple[int, int, int], list[SymbolFrame]] = {}
    for _, name, message in world.sent:
        if name == "ce" and isinstance(message, SymbolFrame):
            copies.setdefault((message.users[0], message.group_id, message.frame_id), []).append(message)
    repeated = [of_one for of_one in copies.values() if len(of_one) > 1]
    assert repeated, "no frame failed: nothing is tested"
    for of_one in copies.values():
        air = Air(config.channel, 14.0)
        assert combined_snr_db(of_one, air) == math.inf or len(of_one) == 3
        if len(of_one) > 1:
            assert combined_snr_db(of_one[:-1], air) == -math.inf, "asked for without need"


def test_the_same_seed_gives_the_same_answers(bundle: Bundle) -> None:
    config = parse_config({"users": 3, "max_group": 3, "channel": {"model": "awgn", "snr_db": 0.0}}, "test")
    first, second = world_of(bundle, config, 0.2), world_of(bundle, config, 0.2)
    first.run_workload()
    second.run_workload()
    assert first.journal == second.journal


@pytest.mark.parametrize(
    "channel",
    [
        {"model": "awgn", "snr_db": 15.0},
        {"model": "rayleigh", "snr_db": 8.0, "coherence": "uses", "coherence_uses": 300},
        {"model": "tdl_c", "snr_db": 10.0, "csi": "genie"},
    ],
)
def test_maps_that_cross_the_air_coded_can_fail_and_are_sent_again(
    bundle: Bundle, channel: dict[str, object]
) -> None:
    coded = {**channel, "side_info": "ldpc"}
    config = parse_config({"users": 3, "max_group": 3, "channel": coded}, "test")
    world = world_of(bundle, config, 0.0)
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    maps = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SideInfo)]
    coded_uses = {uses_of(n, config.channel.snr_db_of(0)) for n in BLOCK_BITS}
    assert all(m.uses - m.pilot_uses in coded_uses for m in maps)
    assert {m.sample_format for m in maps} == {"cs16"}
    heard = [m for _, n, m in world.sent if n == "ce" and isinstance(m, SideInfo)]
    assert all(bytes(h.payload) != bytes(m.payload) for h, m in zip(heard, maps, strict=False))
    failed = [m for _, n, m in world.sent if n != "ce" and isinstance(m, Feedback) and m.side_missing]
    assert len([m for m in maps if m.attempt]) == len(failed)
    assert bool(failed) == (channel["model"] == "rayleigh")


def test_frames_that_different_users_lack_come_added_up_and_the_answers_are_the_same(bundle: Bundle) -> None:
    """Four users share an image, and each loses a fifth of the frames; at 40 dB noise decides no answer."""
    users, requests = 4, 32
    texts = [f"how many balls are there {i}" for i in range(requests)]
    asked = [WorkloadRequest(i, 0.0, i % users, "vqa", text, "a") for i, text in enumerate(texts)]
    answers, downlink = [], []
    for loss, at_once in ((0.0, 3), (0.2, 3), (0.2, 1)):
        retransmission = {"max_attempts": 6, "frames_at_once": at_once}
        channel = {"model": "awgn", "snr_db": 40.0, "csi": "pilots"}
        plain = {"users": users, "max_group": users, "channel": channel, "retransmission": retransmission}
        world = world_of(bundle, parse_config(plain, "test"), 0.0, asked)
        world.mischief = frames_lost(random.Random(11), loss)
        world.run_workload()
        assert check_invariants(world) == {"ok": requests}
        frames = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]
        added = [frame for frame in frames if frame.added]
        assert bool(added) == (loss > 0 and at_once > 1)
        assert all(frame.attempt and frame.stream == "public" for frame in added)
        downlink.append(sum(frame.uses for frame in frames if frame.stream == "public"))
        answers.append({e["request_id"]: e["text"] for e in world.events("ok")})
    assert answers[0] == answers[1] == answers[2]
    lossless, together, each_by_itself = downlink
    assert each_by_itself > 1.5 * lossless
    assert together - lossless < 0.9 * (each_by_itself - lossless)


def frames_lost(rng: random.Random, share: float) -> Mischief:
    """On the way to each UE by itself."""

    def lose(message: Message, to: str, now_s: float) -> list[float]:
        lost = isinstance(message, SymbolFrame) and to.startswith("ue") and rng.random() < share
        return [] if lost else [0.0]

    return lose
