"""Training goes through the emulator's own channel."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from launch.training.draws import RAYLEIGH, draw_air, fixed_air
from launch.training.forward import through_air
from shared.semantic.codec import ChannelCodec
from shared.semantic.masks import BOS, IMAGE, TEXT

WIDTH, USES, TOKENS = 12, 6, 4_000


def batch_of(rows: int, tokens: int = TOKENS) -> Any:
    segments = torch.full((rows, tokens), IMAGE)
    segments[:, :2] = torch.tensor([BOS, TEXT])
    return cast(Any, SimpleNamespace(segments_BT=segments, ids_BT=segments))


def test_only_sent_tokens_cross_the_air_and_noise_has_its_variance() -> None:
    torch.manual_seed(0)
    codec, batch = ChannelCodec(WIDTH, USES), batch_of(1)
    hidden = torch.randn(1, TOKENS, WIDTH, requires_grad=True)
    yes, no = torch.tensor([True]), torch.tensor([False])

    def heard(n0: float, at_ue: torch.Tensor, seed: int = 0, gain: complex = 1.0) -> torch.Tensor:
        air = fixed_air(batch, [np.random.default_rng(seed)], USES, -10 * np.log10(n0))
        air = replace(air, gain_B=torch.tensor([gain], dtype=torch.complex64), text_public_B=yes)
        return through_air(codec, hidden, batch, at_ue, air)

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
    assert whole.unselected_BT.any()
