"""The most salient tokens are those that the channel code spends energy on."""

import torch

from shared.semantic.selection import most_salient, salience


def test_energy_is_that_of_all_values() -> None:
    assert salience(torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist() == [25.0, 1.0]


def test_the_largest_are_kept_and_of_equals_the_first() -> None:
    values = torch.tensor([1.0, 5.0, 1.0, 7.0, 1.0])
    assert most_salient(values, 2).tolist() == [False, True, False, True, False]
    assert most_salient(values, 4).tolist() == [True, True, True, True, False]
    assert most_salient(values, 9).all()


def test_each_image_has_its_own_number() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    assert most_salient(values, torch.tensor([1, 2])).tolist() == [[False, False, True], [True, True, False]]
