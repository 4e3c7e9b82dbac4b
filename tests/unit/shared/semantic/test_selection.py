"""The most salient tokens are those that the channel code spends energy on."""

from typing import Literal

import pytest
import torch

from shared.semantic.codec import ChannelEncoder
from shared.semantic.selection import most_salient, salience


@pytest.mark.parametrize("power", ["token", "stream"])
def test_salience_is_the_energy_that_a_token_is_given(power: Literal["token", "stream"]) -> None:
    encoder = ChannelEncoder(2, 1, power)
    with torch.no_grad():
        encoder.linear.weight.copy_(torch.eye(2))
        encoder.linear.bias.zero_()
    assert salience(encoder, torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist() == [25.0, 1.0]


def test_the_largest_are_kept_and_of_equals_the_first() -> None:
    values = torch.tensor([1.0, 5.0, 1.0, 7.0, 1.0])
    assert most_salient(values, 2).tolist() == [False, True, False, True, False]
    assert most_salient(values, 4).tolist() == [True, True, True, True, False]
    assert most_salient(values, 9).all()


def test_each_image_has_its_own_number() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert most_salient(values, torch.tensor([1, 2])).tolist() == [[False, False, True], [True, True, False]]
