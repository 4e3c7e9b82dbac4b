"""The facades of base station and UE: batching changes nothing, bad requests are refused."""

import numpy as np
import pytest
import torch

from shared.semantic.bundle import Bundle
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender, SenderRequest
from tests.unit.shared.semantic.tiny import pictures

REQUESTS = [
    SenderRequest("vqa", "what colour is the cube?", 0),
    SenderRequest("vqa", "are there any small red things?", 1),
    SenderRequest("caption", "", 1),
    SenderRequest("text_classification", "a film was good"),
    SenderRequest("vqa", "3", 0),
]


@pytest.fixture(scope="module")
def sender(bundle: Bundle) -> SemanticSender:
    return SemanticSender(bundle)


@pytest.fixture(scope="module")
def receiver(bundle: Bundle) -> SemanticReceiver:
    return SemanticReceiver(bundle)


@pytest.mark.parametrize("k", [0, 1, 2, 4])
def test_a_group_gives_what_each_request_gives_alone(bundle: Bundle, k: int) -> None:
    sender = SemanticSender(bundle, k)
    images = pictures(2)
    together = sender.encode_requests(REQUESTS, images)
    assert together.image_tokens.shape == (2, 16, 32)
    for row, request in enumerate(REQUESTS):
        place = request.image_index
        mine = [] if place is None else [images[place]]
        alone = sender.encode_requests([SenderRequest(request.task, request.text, 0 if mine else None)], mine)
        torch.testing.assert_close(together.text_tokens[row], alone.text_tokens[0], atol=1e-5, rtol=1e-5)
        assert len(together.text_tokens[row]) == len(together.text_ids[row])
        if place is not None:
            torch.testing.assert_close(
                together.image_tokens[place], alone.image_tokens[0], atol=1e-5, rtol=1e-5
            )


def test_image_tokens_do_not_depend_on_the_question(sender: SemanticSender) -> None:
    images = pictures(2)
    out = sender.encode_requests(REQUESTS, images)
    torch.testing.assert_close(sender.encode_images(images), out.image_tokens, atol=0, rtol=0)


def test_text_tokens_see_their_image(sender: SemanticSender) -> None:
    with_one, with_other = (sender.encode_text("vqa", "is it red?", image) for image in pictures(2))
    assert not torch.allclose(with_one, with_other)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SenderRequest("poem", "x"), "task: expected one of"),
        (SenderRequest("vqa", "cube " * 50, 0), "text: .* tokens, at most 40"),
        (SenderRequest("vqa", "x", 3), "image: index 3"),
    ],
)
def test_bad_requests_are_one_line(sender: SemanticSender, request_: SenderRequest, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        sender.encode_requests([request_], pictures(1))
    assert "\n" not in str(caught.value)


def test_a_text_is_cut_to_what_is_accepted(sender: SemanticSender) -> None:
    text = sender.prompts.fit("The red cube " * 50)
    assert len(sender.prompts.text_ids(text)) == 40
    assert text.lower() != "the red cube " * 50
    assert sender.prompts.fit("yes") == "yes"


def test_symbols_have_exact_power_and_survive(sender: SemanticSender, receiver: SemanticReceiver) -> None:
    tokens = sender.encode_images(pictures(1))[0]
    symbols = sender.channel_encode(tokens, "private")
    np.testing.assert_allclose((np.abs(symbols) ** 2).sum(1), sender.uses_per_token, rtol=1e-5)
    decoded = receiver.channel_decode(symbols, np.full(len(symbols), 0.1, np.float32), "private")
    assert decoded.shape == tokens.shape


def test_symbols_of_a_wrong_shape_are_refused(receiver: SemanticReceiver) -> None:
    with pytest.raises(ValueError, match="symbols: expected"):
        receiver.channel_decode(np.zeros((2, 3), np.complex64), np.zeros(2, np.float32), "public")


def ask(receiver: SemanticReceiver, image: torch.Tensor, state: str) -> list[int]:
    return receiver.answer(
        AnswerRequest("caption", image, [state] * len(image), max_new_tokens=8)  # type: ignore[list-item]
    ).token_ids


def test_erased_and_unselected_tokens_hide_what_was_there(receiver: SemanticReceiver) -> None:
    one, other = torch.randn(2, 16, 32).unbind()
    assert ask(receiver, one, "received") != ask(receiver, other, "received")
    for state in ("erased", "unselected"):
        assert ask(receiver, one, state) == ask(receiver, other, state)
    nothing = receiver.answer(AnswerRequest("caption", max_new_tokens=8)).token_ids
    assert ask(receiver, one, "unselected") == nothing


def test_answers_repeat(receiver: SemanticReceiver) -> None:
    image = torch.randn(16, 32, generator=torch.Generator().manual_seed(1))
    assert ask(receiver, image, "received") == ask(receiver, image, "received")


def test_answers_end_at_the_limit(receiver: SemanticReceiver) -> None:
    image = torch.randn(16, 32, generator=torch.Generator().manual_seed(2))
    request = AnswerRequest("caption", image, ["received"] * 16, max_new_tokens=2)
    assert len(receiver.answer(request).token_ids) <= 2


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (AnswerRequest("poem"), "task: expected one of"),
        (AnswerRequest("vqa", torch.zeros(3, 32), ["received"] * 3), "image: expected 16 tokens"),
        (AnswerRequest("vqa", torch.zeros(16, 32), ["received"]), "image: expected 16 tokens"),
        (AnswerRequest("vqa", question_at="ue"), "text: a question asked at the UE"),
        (
            AnswerRequest("vqa", text_tokens=torch.zeros(41, 32), text_state=["received"] * 41),
            "text: 41 tokens",
        ),
        (AnswerRequest("vqa", max_new_tokens=0), "max_new_tokens"),
    ],
)
def test_requests_that_do_not_fit_are_refused(
    receiver: SemanticReceiver, request_: AnswerRequest, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        receiver.answer(request_)
