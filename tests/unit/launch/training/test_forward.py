"""Training goes through the emulator's own channel."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import pytest
import torch

from channel_emulator.physics.differentiable import transmit
from launch.training import forward
from launch.training.draws import RAYLEIGH, draw_air, fixed_air
from launch.training.forward import through_air
from shared.semantic.codec import ChannelCodec
from shared.semantic.masks import BOS, IMAGE, TEXT

WIDTH, USES, TOKENS = 12, 6, 4_000


def batch_of(rows: int, tokens: int = TOKENS) -> Any:
    segments = torch.full((rows, tokens), IMAGE)
    segments[:, :2] = torch.tensor([BOS, TEXT])
    groups = torch.zeros_like(segments)
    return cast(Any, SimpleNamespace(segments_BT=segments, ids_BT=segments, groups_BT=groups))


def test_only_sent_tokens_cross_the_air_and_noise_has_its_variance() -> None:
    torch.manual_seed(0)
    codec, batch = ChannelCodec(WIDTH, USES), batch_of(1)
    hidden = torch.randn(1, TOKENS, WIDTH, requires_grad=True)
    yes, no = torch.tensor([True]), torch.tensor([False])

    def heard(n0: float, at_ue: torch.Tensor, seed: int = 0, gain: complex = 1.0) -> torch.Tensor:
        air = fixed_air(batch, [np.random.default_rng(seed)], USES, -10 * np.log10(n0))
        air = replace(air, gain_B=torch.tensor([gain], dtype=torch.complex64), text_public_B=yes)
        return through_air(codec, hidden, batch, at_ue, air).hidden_BTD

    assert torch.equal(heard(0.5, yes)[0, :2], hidden[0, :2])  # BOS, and text asked at the UE
    assert not torch.equal(heard(0.5, no)[0, 1], hidden[0, 1])
    weight = cast(Any, codec.decoders["public"]).linear.weight
    for gain in (1.0, 0.5j):
        # behind h, the LMMSE gain 1 / (1 + N0 / |h|^2) and the linear decoder: N0 / |h|^2 / 2 on each input
        variance = 0.5 / abs(gain) ** 2
        first, second = heard(0.5, no, 1, gain), heard(0.5, no, 2, gain)
        expected = 2 * (variance / 2) * (weight.norm() / (1 + variance)) ** 2 / WIDTH
        assert (first - second)[0, 2:].var(0).mean().item() == pytest.approx(expected.item(), rel=0.05)
    heard(1e-12, no).sum().backward()
    assert hidden.grad is not None
    assert float(hidden.grad.abs().sum()) > 0


def test_the_air_is_drawn_row_by_row() -> None:
    """The same generators give the same air, however rows are shared out; fading has unit mean power."""
    rows = 400
    batch = batch_of(rows, 8)

    def rngs(chosen: range) -> list[np.random.Generator]:
        return [np.random.default_rng([7, row]) for row in chosen]

    whole = draw_air(batch, rngs(range(rows)), USES)
    half = draw_air(batch_of(rows // 2, 8), rngs(range(1, rows, 2)), USES)
    assert torch.equal(whole.noise_BTU[1::2], half.noise_BTU)
    assert torch.equal(whole.erased_BT[1::2], half.erased_BT)
    assert torch.equal(whole.gain_B[1::2], half.gain_B)
    faded = whole.gain_B[whole.gain_B != 1]
    assert len(faded) / rows == pytest.approx(RAYLEIGH, abs=0.08)
    assert float(faded.abs().square().mean()) == pytest.approx(1.0, abs=0.3)
    assert not (whole.erased_BT & (batch.segments_BT == BOS)).any()
    assert whole.erased_BT.any()
    assert torch.equal(whole.kept_B[1::2], half.kept_B)
    assert torch.equal(whole.image_uses_B[1::2], half.image_uses_B)
    for drawn, most in ((whole.kept_B, 6), (whole.image_uses_B, USES), (whole.text_uses_B, USES)):
        assert 0 < int(drawn.min()) <= int(drawn.max()) == most


@pytest.mark.parametrize("power", ["token", "stream"])
def test_what_is_sent_has_unit_average_power_in_each_stream(
    power: Literal["token", "stream"], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the codec's own scale, for prefixes and selections too; unselected tokens take no power."""
    torch.manual_seed(0)
    codec, batch = ChannelCodec(WIDTH, USES, power), batch_of(3, 40)
    batch.segments_BT[:, 30:] = TEXT
    hidden = torch.randn(3, 40, WIDTH) * torch.rand(3, 40, 1)
    air = fixed_air(batch, [np.random.default_rng(row) for row in range(3)], USES, 10.0)
    air = replace(
        air,
        kept_B=torch.tensor([28, 5, 28]),
        image_uses_B=torch.tensor([USES, USES, 2]),
        image_public_B=torch.tensor([True, True, False]),
    )
    sent: list[torch.Tensor] = []

    def on_air(x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        sent.append(x)
        return transmit(x, *rest)

    monkeypatch.setattr(forward, "transmit", on_air)
    with torch.no_grad():
        heard = through_air(codec, hidden, batch, torch.zeros(3, dtype=torch.bool), air)
    assert heard.unselected_BT.sum(1).tolist() == [0, 23, 0]
    energy_BTU = sent[0].abs().square()
    image, text = batch.segments_BT == IMAGE, batch.segments_BT == TEXT
    assert float(energy_BTU[0][image[0]].sum()) == pytest.approx(28 * USES, rel=1e-4)
    assert float(energy_BTU[1][image[1] & ~heard.unselected_BT[1]].sum()) == pytest.approx(5 * USES, rel=1e-4)
    assert float(energy_BTU[0][text[0]].sum()) == pytest.approx(11 * USES, rel=1e-4)
    # the third row's image is private, as its text is: one stream of 28 x 2 and 11 x USES channel uses
    both = energy_BTU[2][image[2], :2].sum() + energy_BTU[2][text[2]].sum()
    assert float(both) == pytest.approx(28 * 2 + 11 * USES, rel=1e-4)


def test_channel_uses_that_are_not_sent_do_not_matter() -> None:
    torch.manual_seed(0)
    codec, batch = ChannelCodec(WIDTH, USES, "stream"), batch_of(1, 20)
    hidden = torch.randn(1, 20, WIDTH)
    air = replace(fixed_air(batch, [np.random.default_rng(0)], USES, 10.0), image_uses_B=torch.tensor([2]))
    other = air.noise_BTU.clone()
    other[..., 2:] += 100
    nowhere = torch.tensor([False])
    heard = [
        through_air(codec, hidden, batch, nowhere, replace(air, noise_BTU=noise)).hidden_BTD[:, 2:]
        for noise in (air.noise_BTU, other)
    ]
    torch.testing.assert_close(heard[0], heard[1])
