"""Reasoning traces at the receiver: written before the answer, split off it, left out when asked."""

from pathlib import Path

import pytest
import torch
from tokenizers import AddedToken

from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.trace import ANSWER, named_patches, split_trace, trace_words
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture(scope="module")
def reasoning(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    tiny = tiny_config()
    config = tiny.model_copy(
        update={
            "traces": True,
            "llm": tiny.llm.model_copy(update={"vocab": 360}),
            "limits": tiny.limits.model_copy(
                update={"new_tokens": dict.fromkeys(tiny.limits.new_tokens, 12)}
            ),
        }
    )
    codec = tiny_tokenizer()
    codec.tokenizer.add_tokens([AddedToken(w, normalized=False) for w in trace_words(config.image_tokens)])
    path: Path = tmp_path_factory.mktemp("bundles") / "reasoning"
    return save_bundle(path, tiny_model(config), codec, "# reasoning\n", torch.float32)


def request(task: str, trace: bool) -> AnswerRequest:
    text = torch.randn(3, 32, generator=torch.Generator().manual_seed(1))
    image = torch.randn(16, 32, generator=torch.Generator().manual_seed(2))
    return AnswerRequest(task, image, ["received"] * 16, text, ["received"] * 3, trace=trace)


def test_without_a_trace_the_answer_begins_with_its_sign(reasoning: Bundle) -> None:
    receiver = SemanticReceiver(reasoning)
    (sign,) = reasoning.text_codec.encode(ANSWER)
    direct = receiver.answer(request("vqa", trace=False))
    assert direct.token_ids[0] == sign
    free = receiver.answer(request("vqa", trace=True))
    assert free.token_ids[0] != sign
    said = reasoning.text_codec.decode(free.token_ids)
    assert (free.trace, free.text) == split_trace(said)
    assert "@" not in free.text
    assert ANSWER not in free.text


def test_what_follows_the_sign_is_what_the_model_says_to_it(reasoning: Bundle) -> None:
    """Beginning with the sign is the same as having chosen it."""
    fast, plain = SemanticReceiver(reasoning), SemanticReceiver(reasoning)
    plain._half.fast = None
    assert fast.answer(request("vqa", False)).token_ids == plain.answer(request("vqa", False)).token_ids


def test_a_classification_has_no_trace(reasoning: Bundle) -> None:
    receiver = SemanticReceiver(reasoning)
    one, other = (receiver.answer(request("text_classification", trace)) for trace in (True, False))
    assert one.token_ids == other.token_ids
    assert one.trace == ""


def test_patches_are_named_in_the_order_of_the_words() -> None:
    assert named_patches("@45 @13 ; @45 @7 = 2") == (45, 13, 7)
    assert named_patches("@none = 0") == ()
    assert named_patches("@12 large red cube , @3 small gray ball") == (12, 3)


@pytest.mark.parametrize("tokens", [3, 4, 9, 10])
def test_a_text_is_shortened_in_its_middle(tokens: int) -> None:
    codec = tiny_tokenizer()
    text = "what colour is the big red cube or sphere, are there any small things"
    short = codec.shorten(text, tokens)
    assert len(codec.encode(short)) <= tokens
    assert len(short) >= tokens // 2
    if tokens > 8:
        assert text.startswith(short.split(" ")[0])
        assert text.endswith(short.split(" ")[-1])
    assert codec.shorten("a film", 20) == "a film"
