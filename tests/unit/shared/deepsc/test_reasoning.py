"""Steps of reasoning: what each means, and what later ones make of it."""

import pytest
import torch

from shared.deepsc.reasoning import RARE, Reasoned, Reasoning

WIDTH, STEPS, PATCHES = 8, 3, 5


def reasoned(network: Reasoning) -> Reasoned:
    """Of two questions, of two and three words, about one picture."""
    generator = torch.Generator().manual_seed(1)
    words = torch.randn(2, 3, WIDTH, generator=generator)
    there = torch.tensor([[True, True, False], [True] * 3])
    patches = torch.randn(1, PATCHES, WIDTH, generator=generator)
    with torch.inference_mode():
        return network(words.mean(1), words, there, patches, torch.tensor([0, 0]))


@pytest.fixture
def network() -> Reasoning:
    torch.manual_seed(0)
    return Reasoning(WIDTH, STEPS)


def test_every_step_says_of_every_patch_whether_it_is_meant(network: Reasoning) -> None:
    found = reasoned(network)
    assert found.memory.shape == (2, WIDTH)
    assert found.log_odds.shape == (2, STEPS, PATCHES)
    assert float(found.log_odds.mean()) == pytest.approx(RARE, abs=1.0)


def test_an_amount_is_the_patches_that_are_meant() -> None:
    log_odds = torch.full((1, 2, PATCHES), -50.0)
    log_odds[0, 0, :3] = 50.0
    log_odds[0, 1, 0] = 0.0
    assert Reasoned(torch.zeros(1, WIDTH), log_odds).amounts.tolist() == [[3.0, 0.5]]


def test_later_steps_may_depend_on_what_an_earlier_one_meant(network: Reasoning) -> None:
    before = reasoned(network).log_odds
    with torch.no_grad():
        network.of_meant_SD[1] = 1.0
    after = reasoned(network).log_odds
    torch.testing.assert_close(after[:, :2], before[:, :2])
    assert (after[:, 2] - before[:, 2]).abs().min() > 0
