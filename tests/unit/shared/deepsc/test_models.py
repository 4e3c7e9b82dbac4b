"""The models of DeepSC and DeepSC-VQA: shapes, power, what is lost, and that rows do not mix."""

import math

import numpy as np
import pytest
import torch

from shared.deepsc.channel import least_squares, to_complex, to_reals, unit_power
from shared.deepsc.config import DeepscConfigError, parse_config
from shared.deepsc.text import DeepscText
from shared.deepsc.vision import pixels_of
from shared.deepsc.vqa import DeepscVqa
from tests.unit.shared.deepsc.tiny import TEXT, VQA


def test_the_defaults_are_the_papers() -> None:
    """Three layers, width 128, eight heads, 128 -> 256 -> 16 a word; 14 x 14 patches, and their budgets."""
    config = parse_config({"name": "x", "vocab": 10, "text_tokens": 5, "answers": ["a", "b"]}, "deepsc")
    model = DeepscText(config)  # type: ignore[arg-type]
    layers = [m for m in model.sender.channel if isinstance(m, torch.nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(128, 256), (256, 16)]
    assert (config.text.layers, config.text.heads) == (3, 8)
    vqa = VQA.model_copy(update={"image_size": 168, "uses_per_patch": 16})
    assert vqa.patches == 196
    assert [vqa.patches * vqa.uses_per_patch * e // 8 for e in (1, 2, 4, 6, 8)] == [
        392,
        784,
        1568,
        2352,
        3136,
    ]


def test_a_text_is_so_many_real_numbers_a_word_whatever_else_is_encoded_with_it() -> None:
    torch.manual_seed(0)
    model = DeepscText(TEXT).eval()
    ids_BT = torch.tensor([[5, 6, 7, 0, 0], [9, 8, 7, 6, 5]])
    there_BT = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    with torch.inference_mode():
        together = model.sender(ids_BT, there_BT)
        alone = model.sender(ids_BT[:1, :3], there_BT[:1, :3])
        said = model.receiver(together, there_BT)
        said_alone = model.receiver(alone, there_BT[:1, :3])
    assert together.shape == (2, 5, 2 * TEXT.uses_per_word)
    assert said.shape == (2, len(TEXT.answers))
    assert torch.allclose(together[0, :3], alone[0], atol=1e-5)
    assert torch.allclose(said[0], said_alone[0], atol=1e-5)


def test_an_answer_depends_on_picture_and_question_and_on_nothing_beside_them() -> None:
    torch.manual_seed(0)
    model = DeepscVqa(VQA).eval()
    pixels = torch.stack(
        [pixels_of(np.full((20, 30, 3), level, np.uint8), VQA.image_size) for level in (9, 99)]
    )
    ids_QT = torch.tensor([[5, 6, 7], [5, 6, 7], [8, 9, 0]])
    there_QT = torch.tensor([[True] * 3, [True] * 3, [True, True, False]])
    with torch.inference_mode():
        sent = model.sender.image(pixels)
        seen = model.receiver.see(sent)
        said = model.receiver(seen, torch.tensor([0, 1, 1]), model.sender.text(ids_QT, there_QT), there_QT)
        alone = model.receiver(
            seen[1:], torch.tensor([0]), model.sender.text(ids_QT[2:, :2], there_QT[2:, :2]), there_QT[2:, :2]
        )
    assert sent.shape == (2, VQA.patches, 2 * VQA.uses_per_patch)
    assert said.shape == (3, len(VQA.answers))
    assert not torch.allclose(said[0], said[1], atol=1e-5), "another picture"
    assert not torch.allclose(said[1], said[2], atol=1e-5), "another question"
    assert torch.allclose(said[2], alone[0], atol=1e-5)


def test_what_is_sent_has_unit_power_over_what_is_sent() -> None:
    torch.manual_seed(0)
    symbols = to_complex(torch.randn(3, 5, 8) * torch.tensor([0.01, 1.0, 50.0])[:, None, None])
    sent = torch.zeros(3, 5, 4)
    sent[0, :, :1], sent[1], sent[2, :2, :3] = 1.0, 1.0, 1.0
    scaled = unit_power(symbols, sent)
    energy_B = torch.view_as_real(scaled).square().sum((1, 2, 3))
    assert torch.allclose(energy_B, sent.sum((1, 2)), rtol=1e-4)
    assert torch.equal(scaled == 0, sent == 0)
    assert torch.equal(to_complex(to_reals(symbols)), symbols)


def test_an_estimate_has_the_least_mean_square_error_and_the_lost_are_zeros() -> None:
    rng = np.random.default_rng(0)
    sent, noise = (rng.standard_normal((2, 100_000, 2)) * math.sqrt(0.5)) @ [1, 1j]
    variance = 0.5
    heard = sent + math.sqrt(variance) * noise
    error = np.mean(np.abs(least_squares(heard, np.full(len(heard), variance)) - sent) ** 2)
    assert error == pytest.approx(variance / (1 + variance), rel=0.02)
    assert not least_squares(heard, np.full(len(heard), np.inf)).any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answers": ["one"]}, "answers: "),
        ({"image_size": 40}, "config: image_size: expected a multiple of 12"),
        ({"text": {"width": 30, "heads": 8}}, "text: width: expected a multiple of heads"),
        ({"colour": 1}, "colour: "),
    ],
)
def test_a_configuration_of_no_model_is_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(DeepscConfigError) as raised:
        parse_config(VQA.model_dump() | change, "deepsc_vqa")
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)
