"""Training goes through the emulator's own channel."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from launch.training.forward import Air, through_air
from shared.semantic.codec import ChannelCodec
from shared.semantic.masks import BOS, IMAGE, TEXT

WIDTH, USES, TOKENS = 12, 6, 4_000


def test_only_sent_tokens_cross_the_air_and_noise_has_its_variance() -> None:
    torch.manual_seed(0)
    codec = ChannelCodec(WIDTH, USES)
    segments = torch.full((1, TOKENS), IMAGE)
    segments[0, :2] = torch.tensor([BOS, TEXT])
    batch = cast(Any, SimpleNamespace(segments_BT=segments))
    hidden = torch.randn(1, TOKENS, WIDTH, requires_grad=True)
    yes, no = torch.tensor([True]), torch.tensor([False])

    def heard(n0: float, at_ue: torch.Tensor) -> torch.Tensor:
        air = Air(torch.tensor([n0]), torch.zeros(1, TOKENS, dtype=torch.bool), yes, no)
        return through_air(codec, hidden, batch, at_ue, air)

    assert torch.equal(heard(0.5, yes)[0, :2], hidden[0, :2])  # BOS, and text asked at the UE
    assert not torch.equal(heard(0.5, no)[0, 1], hidden[0, 1])
    clean, first, second = heard(1e-12, no), heard(0.5, no), heard(0.5, no)
    # behind the LMMSE gain 1 / (1 + N0) and the linear decoder: N0/2 on each of its 2 x USES inputs
    weight = cast(Any, codec.decoders["public"]).linear.weight
    expected = 2 * (0.5 / 2) * (weight.norm() / 1.5) ** 2 / WIDTH
    spread = (first - second)[0, 2:].var(0).mean()
    assert spread.item() == pytest.approx(expected.item(), rel=0.05)
    clean.sum().backward()
    assert hidden.grad is not None
    assert float(hidden.grad.abs().sum()) > 0
