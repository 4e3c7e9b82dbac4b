"""The most salient tokens are those that the channel code spends energy on; named ones come first."""

from typing import Literal

import pytest
import torch

from shared.semantic.codec import ChannelEncoder
from shared.semantic.selection import most_salient, named_first, salience


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


@pytest.mark.parametrize(
    ("named", "keep", "chosen"),
    [
        ((0, 4), None, {0, 4}),
        ((0, 4), 1, {0}),
        ((4, 0), 1, {4}),
        ((0, 4), 3, {0, 4, 3}),
        ((), 2, {3, 1}),
        ((), None, {3}),
        ((9, 2), None, {2}),
        ((0, 1, 2, 3, 4), 9, {0, 1, 2, 3, 4}),
    ],
)
def test_named_ones_come_first_in_their_order(
    named: tuple[int, ...], keep: int | None, chosen: set[int]
) -> None:
    values = torch.tensor([1.0, 5.0, 1.0, 7.0, 1.0])
    assert set(named_first(values, named, keep).nonzero().flatten().tolist()) == chosen
