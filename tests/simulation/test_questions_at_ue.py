"""Questions asked at the UE: one delivery of an image serves all of them, and none of them crosses the air.

Real pipelines (shipped bundle) between the real roles: only clock and network are made up.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from PIL import Image

from basestation.pipeline import GroupPipeline
from basestation.workload_file import WorkloadRequest
from shared import index_map
from shared.accounting import portions
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.masks import BOS, GENERATED, IMAGE, INSTRUCTION, TEXT, attention_masks
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.semantic.trace import split_trace
from shared.starting import load_bundle
from shared.wire.codec import encode
from shared.wire.messages import Answer, AnswerAck, Cancel, SideInfo, SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, RandomMischief
from tests.simulation.world import World, no_mischief
from userequipment.pipeline import RequestPipeline

TEN = (
    "what color is the large cube?",
    "how many small things are there?",
    "are there any red spheres?",
    "what shape is the blue thing?",
    "is there a metal cylinder?",
    "what size is the green rubber cube?",
    "how many cubes are there?",
    "what is the small yellow thing made of?",
    "are there any purple things?",
    "how many things are there?",
)
IDEAL = {"model": "ideal", "codec": "bypass", "sample_format": "cf32"}
AWGN = {"model": "awgn", "snr_db": 10.0}


@pytest.fixture(scope="module")
def bundle() -> Iterator[Bundle]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_bundle("micro", "all")
    torch.set_num_threads(threads)


def config(users: int, **more: object) -> RunConfig:
    settings = {"channel": AWGN, "sharing": {"similar": "nowhere"}}
    return parse_config({"users": users, "max_group": users, "question_at": "ue"} | settings | more, "test")


def deliveries(*images: str) -> list[WorkloadRequest]:
    """One image to each user, all at once."""
    return [WorkloadRequest(i, 0.0, i, "vqa", "", image, True) for i, image in enumerate(images)]


def run(
    bundle: Bundle,
    config: RunConfig,
    workload: Sequence[WorkloadRequest],
    questions: dict[int, tuple[str, ...]],
    loss: float = 0.0,
) -> World:
    codec = config.channel.codec
    receiver = SemanticReceiver(bundle, config.split_layer, "cpu", codec)
    world = World(
        config,
        workload,
        images=IMAGES,
        mischief=RandomMischief(11, loss) if loss else no_mischief,
        sender=GroupPipeline(
            config, SemanticSender(bundle, config.split_layer, "cpu", codec), clock=lambda: 0.0
        ),
        receiver=RequestPipeline(config, receiver, clock=lambda: 0.0, questions=questions),
    )
    world.run_workload()
    return world


def downlink(world: World) -> Counter[tuple[object, ...]]:
    """Every count of the ledger for what base station and emulator sent towards the UEs."""
    book: Counter[tuple[object, ...]] = Counter()
    for _, node, message in world.sent:
        if not isinstance(message, SideInfo | SymbolFrame | Cancel | AnswerAck):
            continue
        header, *payload = (bytes(part) for part in encode(message))
        for p in portions(message, len(header), len(payload[0]) if payload else 0):
            amounts = (p.frames, p.payload_bytes, p.header_bytes, p.wire_bytes, p.uses, p.energy)
            book[node, p.users, p.klass, p.purpose, *amounts] += 1
    return book


def answers(event: dict[str, object]) -> list[tuple[object, object]]:
    return [(event["text"], event["control_text"]), *event["later"]]  # type: ignore[misc]


def test_ten_questions_cost_the_downlink_of_one(bundle: Bundle) -> None:
    work = deliveries("a", "a", "b")
    faded = config(3, channel={"model": "rayleigh", "snr_db": 10.0})
    one = run(bundle, faded, work, dict.fromkeys(range(3), TEN[:1]))
    ten = run(bundle, faded, work, dict.fromkeys(range(3), TEN))
    assert check_invariants(one) == check_invariants(ten) == {"ok": 3}
    assert downlink(one) == downlink(ten)
    assert {key[2] for key in downlink(ten)} == {"public", "private", "side", "pilots", "control"}
    for few, many in zip(one.events("ok"), ten.events("ok"), strict=True):
        assert answers(few) == answers(many)[:1], "an answer does not depend on what else is asked"
        assert (len(answers(many)), few["digest"]) == (10, many["digest"])


def test_no_question_and_no_token_of_one_crosses_the_air(bundle: Bundle) -> None:
    world = run(bundle, config(2), deliveries("a", "b"), {0: TEN[:5], 1: TEN[5:]})
    everything = [m for _, _, m in world.sent] + [m for _, _, m in world.tells]
    carried = b"".join(bytes(part) for message in everything for part in encode(message))
    for question in TEN:
        assert question.encode() not in carried
        assert question not in str(world.journal)
    sides = [m for m in everything if isinstance(m, SideInfo)]
    for side in sides:
        sent = index_map.decode(side.payload, bundle.config.image_tokens)
        assert (sent.question_at_ue, sent.text_tokens) == (True, 0)
    frames = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]
    assert sum(frame.n_tokens for frame in frames) == 2 * bundle.config.image_tokens
    assert sides


def test_answers_are_those_of_one_forward_pass_under_the_masks(bundle: Bundle) -> None:
    settings = config(2, channel=IDEAL, max_new_tokens=24)
    world = run(bundle, settings, deliveries("a", "b"), {0: TEN[:5], 1: TEN[5:]})
    assert check_invariants(world) == {"ok": 2}
    first = {m.user: m.token_ids for _, _, m in world.sent if isinstance(m, Answer)}
    said = []
    for event, image, questions in zip(world.events("ok"), "ab", (TEN[:5], TEN[5:]), strict=True):
        expected = [monolithic(bundle, IMAGES[image], question, 24) for question in questions]
        assert first[event["user"]] == tuple(expected[0])
        texts = [split_trace(bundle.text_codec.decode(ids))[1] for ids in expected]
        assert [text for text, _ in answers(event)] == texts
        said += texts
    assert len(set(said)) > 1, "the answers must not all be the same"


def monolithic(bundle: Bundle, image: bytes, question: str, amount: int) -> list[int]:
    """Greedy choices, each by one forward pass over the whole sequence under the masks for 'ue'."""
    model, k = bundle.model("all"), bundle.config.split_layer
    gemma, llm = model.llm.model, bundle.config.llm
    receiver = SemanticReceiver(bundle, k)
    layout, words = receiver.prompts.layout("vqa"), receiver.prompts.text_ids(question)
    pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
    said: list[int] = []
    with torch.inference_mode():
        seen = model.projector(model.vision(model.vision.preprocess([pixels])))
        while len(said) < amount:
            length = len(layout.instruction_ids) + len(words)
            ids = [llm.bos_id, *layout.instruction_ids, *words, *said]
            hidden = gemma.embed_tokens(torch.tensor([ids]))
            hidden = torch.cat([hidden[:, :1], seen, hidden[:, 1:]], 1)
            segments = [BOS, *[IMAGE] * seen.shape[1], *[INSTRUCTION] * len(layout.instruction_ids)]
            segments += [TEXT] * len(words) + [GENERATED] * len(said)
            below, above = attention_masks(torch.tensor([segments]), torch.tensor([True]))
            places = [0, *range(1, 1 + seen.shape[1] + length + len(said))]
            turns = gemma.rotary_emb(hidden, torch.tensor([places]))
            for number, layer in enumerate(gemma.layers):
                hidden = layer(
                    hidden, position_embeddings=turns, attention_mask=below if number < k else above
                )
            token = int(model.llm.lm_head(gemma.norm(hidden[:, -1])).argmax())
            if token in llm.stop_ids:
                break
            said.append(token)
    return said


def test_every_question_has_its_control(bundle: Bundle) -> None:
    world = run(bundle, config(1, control="image_erased"), deliveries("a"), {0: TEN})
    pairs = answers(world.events("ok")[0])
    assert len(pairs) == 10
    assert all(isinstance(control, str) for _, control in pairs)
    plain = run(bundle, config(1), deliveries("a"), {0: TEN})
    assert [text for text, _ in answers(plain.events("ok")[0])] == [text for text, _ in pairs]
    assert {control for _, control in answers(plain.events("ok")[0])} == {None}


def test_losses_are_mended_or_said_and_every_question_is_answered(bundle: Bundle) -> None:
    work = [WorkloadRequest(i, float(i // 3), i % 3, "vqa", "", "ab"[i % 2], True) for i in range(9)]
    world = run(bundle, config(3), work, dict.fromkeys(range(9), TEN[:4]), loss=0.25)
    ends = check_invariants(world)
    assert set(ends) <= {"ok", "degraded"}
    assert max(event["attempts"] for event in world.events("ok", "degraded")) > 1
    assert all(len(answers(event)) == 4 for event in world.events("ok", "degraded"))


@pytest.mark.parametrize(
    ("questions", "reason"),
    [
        ({}, "ue: no_questions: this UE has none for workload line 0"),
        ({1: TEN}, "ue: no_questions: this UE has none for workload line 0"),
        ({0: (TEN[0], "cube " * 2_000)}, "ue: bad_input: question 1: text: "),
    ],
)
def test_what_cannot_be_asked_fails_with_a_reason(
    bundle: Bundle, questions: dict[int, tuple[str, ...]], reason: str
) -> None:
    world = run(bundle, config(1), deliveries("a"), questions)
    assert check_invariants(world) == {"fail": 1}
    assert world.events("fail")[0]["reason"].startswith(reason)


def test_questions_from_outside_are_still_sent(bundle: Bundle) -> None:
    world = run(bundle, config(1), deliveries("a"), {0: TEN})
    world.ask("bs", "q1", 0, TEN[0], IMAGES["a"])
    world.ask("ue:0", "q2", 0, TEN[0], IMAGES["a"])
    world.run(30.0, until=lambda: len(world.told("ask_result")) == 2)
    assert check_invariants(world) == {"ok": 3}
    assert Counter(e["question_at"] for e in world.events("invoke")) == {"ue": 1, "bs": 2}
