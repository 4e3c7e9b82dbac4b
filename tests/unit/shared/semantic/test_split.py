"""The split model against references: `transformers`' generate, and one forward pass with the same masks."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.codec import from_symbols
from shared.semantic.gemma2_split import SenderHalf
from shared.semantic.kv_cache import LayerCache, join_caches
from shared.semantic.masks import (
    BOS,
    GENERATED,
    IMAGE,
    INSTRUCTION,
    TEXT,
    QuestionAt,
    attention_masks,
    without,
)
from shared.semantic.model import SemanticModel
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender, SenderRequest
from tests.unit.shared.semantic.tiny import pictures, tiny_config, tiny_model, tiny_tokenizer

LAYERS = 4
QUESTIONS = [
    "what colour is the big cube?",
    "are there any small things?",
    "is the sphere red",
    "3 good things",
]


@pytest.fixture(scope="module")
def capped(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose attention logits are capped, as Gemma2's are: attention runs eagerly."""
    config = tiny_config(softcap=20.0)
    return save_bundle(
        tmp_path_factory.mktemp("capped") / "b",
        tiny_model(config, 3),
        tiny_tokenizer(),
        "# tiny\n",
        torch.float32,
    )


def over_the_air(
    bundle: Bundle, k: int, question: str, task: str = "vqa", image: bool = True, picture: int = 0
) -> tuple[SemanticReceiver, Tensor | None, Tensor]:
    """Tokens as the receiver gets them through the bypass codec."""
    sender = SemanticSender(bundle, k, codec="bypass")
    receiver = SemanticReceiver(bundle, k, codec="bypass")
    request = SenderRequest(task, question, 0 if image else None)
    out = sender.encode_requests([request], pictures(1, picture) if image else [])

    def cross(tokens: Tensor) -> Tensor:
        symbols = sender.channel_encode(tokens, "public")
        return receiver.channel_decode(symbols, np.zeros(len(symbols), np.float32), "public")

    return receiver, cross(out.image_tokens[0]) if image else None, cross(out.text_tokens[0])


@pytest.mark.parametrize("cap", [False, True])
def test_k0_without_channel_is_transformers_generate(bundle: Bundle, capped: Bundle, cap: bool) -> None:
    chosen = capped if cap else bundle
    model: Any = chosen.model("all")
    answers = set()
    for number, question in enumerate(QUESTIONS):
        receiver, image, text = over_the_air(chosen, 0, question, picture=number)
        assert image is not None
        request = AnswerRequest(
            "vqa", image, ["received"] * len(image), text, ["received"] * len(text), max_new_tokens=12
        )
        answer = receiver.answer(request).token_ids
        instruction = receiver.prompts.layout("vqa").instruction_ids
        ids = torch.tensor([[2, *instruction, *receiver.prompts.text_ids(question)]])
        words = model.llm.model.embed_tokens(ids)
        seen = model.projector(model.vision(model.vision.preprocess(pictures(1, number))))
        prompt = torch.cat([words[:, :1], seen, words[:, 1:]], 1)
        expected = model.llm.generate(
            inputs_embeds=prompt,
            attention_mask=torch.ones(prompt.shape[:2], dtype=torch.long),
            max_new_tokens=12,
            do_sample=False,
        )
        assert answer == [token for token in expected[0].tolist() if token not in (0, 1)]
        answers.add(tuple(answer))
    assert len({token for answer in answers for token in answer}) > 1


def monolithic(
    model: SemanticModel,
    receiver: SemanticReceiver,
    k: int,
    question: str,
    generated: list[int],
    at: QuestionAt,
    task: str,
    states: list[str] | None,
) -> list[int]:
    """Greedy choices of one forward pass over the whole sequence under the masks, position by position."""
    layout, ids = receiver.prompts.layout(task), receiver.prompts.text_ids(question)
    gemma = model.llm.model
    image = [] if states is None else [0] * len(states)
    tokens = [2, *image, *layout.instruction_ids, *ids, *generated]
    segments = (
        [BOS]
        + [IMAGE] * len(image)
        + [INSTRUCTION] * len(layout.instruction_ids)
        + [TEXT] * len(ids)
        + [GENERATED] * len(generated)
    )
    after = layout.text(len(ids)).stop
    places = [
        0,
        *(layout.image if image else ()),
        *layout.instruction,
        *layout.text(len(ids)),
        *range(after, after + len(generated)),
    ]
    hidden = gemma.embed_tokens(torch.tensor([tokens]))
    if states is not None:
        hidden[:, 1 : 1 + len(states)] = model.projector(model.vision(model.vision.preprocess(pictures(1))))
    masked = torch.zeros(1, len(tokens), dtype=torch.bool)
    for row, state in enumerate(states or []):
        masked[0, 1 + row] = state == "unselected"
    below, above = attention_masks(torch.tensor([segments]), torch.tensor([at == "ue"]))
    above = without(above, masked)
    turns = gemma.rotary_emb(hidden, torch.tensor([places]))
    for number, layer in enumerate(gemma.layers):
        if number == k:
            hidden = erase(hidden, states, model)
        hidden = layer(hidden, position_embeddings=turns, attention_mask=below if number < k else above)
    if k == len(gemma.layers):
        hidden = erase(hidden, states, model)
    logits = model.llm.lm_head(gemma.norm(hidden))
    choices: list[int] = logits[0, len(tokens) - len(generated) - 1 :].argmax(-1).tolist()
    return choices


def erase(hidden: Tensor, states: list[str] | None, model: SemanticModel) -> Tensor:
    hidden = hidden.clone()
    for row, state in enumerate(states or []):
        if state == "erased":
            hidden[0, 1 + row] = model.codec.erasure_D
    return hidden


@pytest.mark.parametrize("k", range(LAYERS + 1))
@pytest.mark.parametrize("at", ["bs", "ue"])
@pytest.mark.parametrize("damage", [False, True])
def test_split_prefill_and_decode_equal_one_forward_with_the_same_masks(
    bundle: Bundle, k: int, at: QuestionAt, damage: bool
) -> None:
    receiver, image, text = over_the_air(bundle, k, QUESTIONS[0])
    assert image is not None
    states = ["received"] * len(image)
    if damage:
        states[2:5], states[9:12] = ["erased"] * 3, ["unselected"] * 3
    request = AnswerRequest(
        "vqa",
        image,
        states,  # type: ignore[arg-type]
        text if at == "bs" else None,
        ["received"] * len(text) if at == "bs" else [],
        at,
        QUESTIONS[0] if at == "ue" else None,
        max_new_tokens=8,
    )
    answer = receiver.answer(request).token_ids
    choices = monolithic(bundle.model("all"), receiver, k, QUESTIONS[0], answer, at, "vqa", states)
    assert answer == choices[: len(answer)]
    assert len(answer) == 8 or choices[len(answer)] == 1


@pytest.mark.parametrize("k", range(LAYERS + 1))
def test_each_question_asked_here_is_answered_as_if_it_were_the_only_one(bundle: Bundle, k: int) -> None:
    receiver, image, _ = over_the_air(bundle, k, "")
    assert image is not None
    states = ["received"] * len(image)
    states[2:5] = ["erased"] * 3
    questions = [*QUESTIONS, ""]
    request = AnswerRequest("vqa", image, states, question_at="ue", max_new_tokens=8)  # type: ignore[arg-type]
    together = receiver.answer_each(request, questions)
    for question, answer in zip(questions, together, strict=True):
        choices = monolithic(
            bundle.model("all"), receiver, k, question, answer.token_ids, "ue", "vqa", states
        )
        assert answer.token_ids == choices[: len(answer.token_ids)]
        assert receiver.answer_each(request, [question]) == [answer]
    assert len({tuple(answer.token_ids) for answer in together}) > 1, "they must not all be the same"


def test_a_question_that_is_too_long_is_refused_before_any_is_answered(bundle: Bundle) -> None:
    receiver, image, _ = over_the_air(bundle, 2, "")
    request = AnswerRequest("vqa", image, ["received"] * 16, question_at="ue")
    with pytest.raises(ValueError, match=r"text: .* tokens, at most 40"):
        receiver.answer_each(request, ["is it red?", "cube " * 50])


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize(("task", "question"), [("text_classification", "a film was good"), ("caption", "")])
def test_other_tasks_too(bundle: Bundle, k: int, task: str, question: str) -> None:
    has_image = task == "caption"
    receiver, image, text = over_the_air(bundle, k, question, task, has_image)
    states = ["received"] * len(image) if image is not None else []
    answer = receiver.answer(
        AnswerRequest(task, image, states, text, ["received"] * len(text), max_new_tokens=5)  # type: ignore[arg-type]
    ).token_ids
    choices = monolithic(
        bundle.model("all"), receiver, k, question, answer, "bs", task, states if has_image else None
    )
    assert answer == choices[: len(answer)]


def test_codes_of_the_bypass_are_the_vectors(bundle: Bundle) -> None:
    sender = SemanticSender(bundle, 2, codec="bypass")
    tokens = sender.encode_images(pictures(1))[0]
    torch.testing.assert_close(from_symbols(sender.channel_encode(tokens, "public")), tokens, atol=0, rtol=0)


def test_a_split_beyond_the_layers_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="split_layer: expected 0 to 4, got 5"):
        SenderHalf(bundle.model("all").llm, 5)


def test_cache_grows_joins_and_picks_rows() -> None:
    cache = LayerCache(reserve=1)
    first, second = torch.randn(2, 1, 3, 4), torch.randn(2, 1, 5, 4)
    cache.update(first, -first, 7)
    keys, values = cache.update(second, -second, 7)
    torch.testing.assert_close(keys, torch.cat([first, second], 2))
    torch.testing.assert_close(values, -keys)
    joined = join_caches([cache, cache.slice(6)], rows=[1, 1, 0])
    torch.testing.assert_close(joined.keys_values(7)[0], torch.cat([keys, keys[:, :, 6:]], 2)[[1, 1, 0]])
