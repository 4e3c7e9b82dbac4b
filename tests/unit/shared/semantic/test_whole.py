"""The whole model on one node is its halves one after the other, with the channel code between or without."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import CodecKind, SemanticSender, SenderRequest
from shared.semantic.whole import Prompt, WholeModel
from tests.unit.shared.semantic.tiny import pictures, tiny_config, tiny_model, tiny_tokenizer

TEXT = "what color is the cube"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    place: Path = tmp_path_factory.mktemp("whole") / "bundle"
    return save_bundle(place, tiny_model(tiny_config()), tiny_tokenizer(), "# tiny\n")


@pytest.mark.parametrize("codec", ["linear", "bypass"])
def test_it_answers_as_its_halves_do_over_a_channel_without_noise(bundle: Bundle, codec: CodecKind) -> None:
    (picture,) = pictures(1)
    sender, receiver = SemanticSender(bundle), SemanticReceiver(bundle)
    output = sender.encode_requests([SenderRequest("vqa", TEXT, 0)], [picture])
    image = output.image_tokens[0]
    if codec == "linear":
        image = through(sender, receiver, image)
    seen: dict[str, Any] = {"image_tokens": image, "image_state": ["received"] * len(image)}
    text = output.text_tokens[0]
    sent = AnswerRequest("vqa", **seen, text_tokens=text, text_state=["received"] * len(text))
    asked_there = AnswerRequest("vqa", **seen, question_at="ue", text=TEXT)
    whole = WholeModel(bundle, codec=codec)
    answer = receiver.answer(sent)
    assert whole.answer(Prompt("vqa", TEXT, picture)) == answer
    assert whole.words("vqa", output.image_tokens[0], text) == bundle.text_codec.decode(answer.token_ids)
    assert whole.answer_each(Prompt("vqa", "", picture), [TEXT]) == [receiver.answer(asked_there)]


def test_the_code_is_not_nothing(bundle: Bundle) -> None:
    sender, receiver = SemanticSender(bundle), SemanticReceiver(bundle)
    tokens = sender.encode_images(pictures(1))[0]
    assert np.abs((through(sender, receiver, tokens) - tokens).numpy()).max() > 1e-3


def through(sender: SemanticSender, receiver: SemanticReceiver, tokens: Tensor) -> Tensor:
    symbols = sender.channel_encode(tokens, "private")
    return receiver.channel_decode(symbols, np.zeros(len(symbols), np.float32), "private")
