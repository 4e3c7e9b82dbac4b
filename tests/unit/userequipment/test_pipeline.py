"""Where the question is asked: the map on the air and the message around it must agree, else no answer."""

from dataclasses import replace

import numpy as np
import pytest

from basestation.pipeline import AdmittedRequest, GroupPipeline, GroupPlan
from shared import index_map
from shared.config import ChannelConfig, RunConfig
from shared.config_file import parse_config
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.starting import load_bundle
from shared.token_runs import Run, TokenState
from shared.wire.messages import SideInfo
from tests.simulation.settings import IMAGES, KEYS
from userequipment.channel_decode import Air
from userequipment.pipeline import Decoded, RequestPipeline

AIR = Air(ChannelConfig(model="ideal"), 0.0)
QUESTION = "how many cubes are there?"


@pytest.fixture(scope="module")
def config() -> RunConfig:
    channel = {"model": "ideal", "codec": "bypass", "sample_format": "cf32"}
    return parse_config({"users": 1, "channel": channel, "max_new_tokens": 8}, "test")


@pytest.fixture(scope="module")
def plan(config: RunConfig) -> GroupPlan:
    """Request `there` is asked at the UE, `here` is sent."""
    sender = SemanticSender(load_bundle("micro", "sender"), None, "cpu", "bypass")
    return GroupPipeline(config, sender).run(
        3,
        [
            AdmittedRequest("there", 0, "vqa", "", IMAGES["a"], KEYS["a"], questions_of=5),
            AdmittedRequest("here", 0, "vqa", QUESTION, IMAGES["a"], KEYS["a"]),
        ],
    )


@pytest.fixture(scope="module")
def pipeline(config: RunConfig) -> RequestPipeline:
    receiver = SemanticReceiver(load_bundle("micro", "receiver"), None, "cpu", "bypass")
    return RequestPipeline(config, receiver, questions={5: (QUESTION, "what is it?", QUESTION)})


def decode(pipeline: RequestPipeline, plan: GroupPlan, side: SideInfo) -> Decoded:
    return pipeline.run(side, {frame.frame_id: [frame] for frame in plan.frames}, AIR)


def test_every_question_is_answered_from_one_image(pipeline: RequestPipeline, plan: GroupPlan) -> None:
    there, here = (decode(pipeline, plan, plan.side[name]) for name in ("there", "here"))
    assert (there.status, here.status) == ("ok", "ok")
    assert (len(there.later), len(here.later)) == (2, 0)
    assert there.later[1] == (there.text, None)
    assert plan.side["there"].uses < plan.side["here"].uses


def test_map_and_message_that_disagree_give_no_answer(pipeline: RequestPipeline, plan: GroupPlan) -> None:
    for side in (
        replace(plan.side["there"], questions_of=None),
        replace(plan.side["here"], questions_of=5),
    ):
        failed = decode(pipeline, plan, side)
        assert (failed.status, failed.later) == ("failed", ())
        assert failed.reason.startswith("bad_index_map: the map and its message disagree")


def test_text_beside_a_question_asked_here_gives_no_answer(
    pipeline: RequestPipeline, plan: GroupPlan
) -> None:
    sent = index_map.decode(plan.side["there"].payload, load_bundle("micro", "receiver").config.image_tokens)
    runs = (*sent.runs, Run(TokenState.ERASED, 2))
    payload, _ = index_map.encode(replace(sent, text_tokens=2, runs=runs))
    failed = decode(pipeline, plan, replace(plan.side["there"], payload=payload))
    assert failed.reason == "bad_index_map: 2 text tokens, but the question is asked at the UE"


def test_unknown_questions_give_no_answer(pipeline: RequestPipeline, plan: GroupPlan) -> None:
    failed = decode(pipeline, plan, replace(plan.side["there"], questions_of=6))
    assert (failed.status, failed.reason) == (
        "failed", "no_questions: this UE has none for workload line 6",
    )  # fmt: skip


def test_side_information_that_cannot_be_read_is_none() -> None:
    """Of coded maps: noise alone, and samples that are not what the header says."""
    channel = ChannelConfig(model="awgn", snr_db=10.0, side_info="ldpc")
    coded = parse_config({"users": 1, "channel": channel.model_dump()}, "test")
    pipeline = RequestPipeline(coded, SemanticReceiver(load_bundle("micro", "receiver")))
    sender = SemanticSender(load_bundle("micro", "sender"))
    request = AdmittedRequest("r", 0, "vqa", QUESTION, IMAGES["a"], KEYS["a"])
    side = GroupPipeline(coded, sender).run(0, [request]).side["r"]
    air = Air(channel, 10.0)
    opened = pipeline.open_side(side, air)
    assert opened is not None
    assert index_map.decode(opened.payload, 100).has_image
    noise = np.random.default_rng(0).integers(0, 256, len(side.payload), np.uint8).tobytes()
    assert pipeline.open_side(replace(side, payload=noise), air) is None
    assert pipeline.open_side(replace(side, payload=bytes(3)), air) is None
    assert pipeline.open_side(replace(side, uses=side.uses - 1, payload=side.payload[4:]), air) is None
