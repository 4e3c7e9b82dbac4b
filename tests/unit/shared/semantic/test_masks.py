"""Who sees whom, below the split and from it on."""

import pytest
import torch

from shared.semantic.masks import BOS, GENERATED, IMAGE, INSTRUCTION, PADDING, TEXT, attention_masks, without

SEGMENTS = [BOS, IMAGE, IMAGE, INSTRUCTION, TEXT, TEXT, GENERATED, PADDING]


def masks(at_ue: bool, **more: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    below, above = attention_masks(torch.tensor([SEGMENTS]), torch.tensor([at_ue]), **more)
    return below[0, 0], above[0, 0]


@pytest.mark.parametrize(
    ("query", "at_bs", "at_ue"),
    [
        (0, [0], [0]),
        (2, [0, 1, 2], [0, 1, 2]),
        (3, [0, 3], [0, 3]),
        (5, [0, 1, 2, 3, 4, 5], [0, 3, 4, 5]),
        (6, [0, 3, 6], [0, 3, 4, 5, 6]),
    ],
)
def test_below_the_split(query: int, at_bs: list[int], at_ue: list[int]) -> None:
    assert masks(False)[0][query].nonzero()[:, 0].tolist() == at_bs
    assert masks(True)[0][query].nonzero()[:, 0].tolist() == at_ue


def test_from_the_split_on_everything_is_causal() -> None:
    above = masks(False)[1][:7, :7]
    assert torch.equal(above, torch.ones(7, 7, dtype=torch.bool).tril())


def test_unselected_tokens_are_seen_by_themselves_only() -> None:
    unselected = torch.tensor([[False, True, False, False, False, False, False, False]])
    seen = without(masks(False)[1][None, None], unselected)[0, 0]
    assert seen[:, 1].nonzero()[:, 0].tolist() == [1]
    assert seen[6].nonzero()[:, 0].tolist() == [0, 2, 3, 4, 5, 6]


def test_packed_questions_do_not_see_each_other() -> None:
    groups = torch.tensor([[0, 0, 0, 0, 1, 2, 2, 0]])
    below, above = masks(False, groups_BK=groups)
    assert above[6].nonzero()[:, 0].tolist() == [0, 1, 2, 3, 5, 6]
    assert not below[5, 4]


def test_no_row_is_empty() -> None:
    assert all(mask.any(-1).all() for mask in masks(True))
