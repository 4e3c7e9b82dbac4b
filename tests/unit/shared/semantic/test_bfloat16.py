"""Weights in bfloat16, as the paper preset has them: both halves run in it, and lose little by it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from shared.semantic.bundle import Bundle, write_bundle
from shared.semantic.fast_decode import FastDecoder
from shared.semantic.kan import KanProjector
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender
from tests.unit.shared.semantic.tiny import pictures, tiny_config, tiny_model, tiny_tokenizer

CONFIG = tiny_config(softcap=50.0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    """The same weights, all of them exact in bfloat16, stored as bfloat16 and as float32."""
    folder: Path = tmp_path_factory.mktemp("bfloat16")
    state = {name: t.bfloat16() for name, t in tiny_model(CONFIG).state_dict().items()}
    tokenizer = tiny_tokenizer().tokenizer.to_str()
    made = [
        write_bundle(folder / str(dtype), CONFIG, state.__getitem__, tokenizer, "#\n", dtype)
        for dtype in (torch.bfloat16, torch.float32)
    ]
    return made[0], made[1]


def test_what_is_sent_is_nearly_what_float32_would_send(pair: tuple[Bundle, Bundle]) -> None:
    half, whole = (SemanticSender(bundle).encode_images(pictures(2)) for bundle in pair)
    assert (half.dtype, whole.dtype) == (torch.bfloat16, torch.float32)
    error = (half.float() - whole).norm() / whole.norm()
    assert 0 < error < 0.03


def test_symbols_have_unit_power_to_float32s_precision(pair: tuple[Bundle, Bundle]) -> None:
    sender = SemanticSender(pair[0])
    symbols = sender.channel_encode(sender.encode_images(pictures(1))[0].float(), "public")
    energy = np.sum(np.abs(symbols.astype(np.complex128)) ** 2, axis=1)
    np.testing.assert_allclose(energy, sender.uses_per_token, rtol=1e-6)


@pytest.mark.parametrize("states", ["received", "erased", "unselected"])
def test_the_receiver_answers(pair: tuple[Bundle, Bundle], states: str) -> None:
    sender, receiver = SemanticSender(pair[0]), SemanticReceiver(pair[0])
    image, text = (
        sender.encode_images(pictures(1))[0],
        sender.encode_text("vqa", "what colour", pictures(1)[0]),
    )
    symbols = sender.channel_encode(image, "public")
    decoded = receiver.channel_decode(symbols, np.full(len(symbols), 0.1, np.float32), "public")
    assert decoded.dtype == torch.float32
    request = AnswerRequest(
        task="vqa",
        image_tokens=decoded,
        image_state=[states] * len(decoded),  # type: ignore[list-item]
        text_tokens=text,
        text_state=["received"] * len(text),
    )
    assert 1 <= len(receiver.answer(request).token_ids) <= 3
    asked = AnswerRequest(task="vqa", question_at="ue", text="what colour")
    assert receiver.answer(asked) == receiver.answer(asked)


def test_splines_are_computed_in_float32() -> None:
    """Near a knot a bfloat16 recursion would be wrong by a tenth; what is left is the rounding of weights."""
    torch.manual_seed(0)
    projector = KanProjector((32, 48, 48)).requires_grad_(False)
    coarse = KanProjector((32, 48, 48)).requires_grad_(False)
    coarse.load_state_dict({name: t.bfloat16() for name, t in projector.state_dict().items()}, assign=True)
    projector.load_state_dict({name: t.float() for name, t in coarse.state_dict().items()})
    x = torch.randn(64, 32).bfloat16()
    expected = projector(x.float())
    assert coarse.layers[0].knots_K.dtype == torch.float32  # type: ignore[union-attr]
    assert (coarse(x).float() - expected).norm() / expected.norm() < 0.01


def test_folded_norms_are_for_float32_only(pair: tuple[Bundle, Bundle], bundle: Bundle) -> None:
    assert FastDecoder.fits(bundle.model("receiver").llm)
    assert not FastDecoder.fits(bundle.model("receiver", torch.bfloat16).llm)
