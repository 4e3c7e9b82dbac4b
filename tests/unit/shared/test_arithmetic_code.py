"""What was decided comes back, whatever follows it, in as few bits as theory says."""

from itertools import chain, repeat
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arithmetic_code import Decoder, Encoder

Decisions = list[tuple[int, bool]]


def encoded(decisions: Decisions) -> list[int]:
    encoder = Encoder()
    for context, value in decisions:
        assert encoder.decide(context, value) is value
    return encoder.finish()


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=300), st.lists(st.integers(0, 1)))
def test_decisions_come_back_whatever_follows(decisions: Decisions, rest: list[int]) -> None:
    bits = encoded(decisions)
    for behind in (chain(rest, repeat(0)), repeat(1)):
        decoder = Decoder(chain(bits, behind))
        assert [decoder.decide(context, None) for context, _ in decisions] == [v for _, v in decisions]


@pytest.mark.parametrize("ones", [0, 1, 30, 500, 999, 1_000])
def test_the_length_is_that_of_the_estimator(ones: int) -> None:
    """Krichevsky and Trofimov: minus the logarithm of the product of what was thought likely, and 2 bits."""
    values = np.random.default_rng(ones).permutation(np.arange(1_000) < ones).tolist()
    ideal, seen = 0.0, [0, 0]
    for value in values:
        ideal -= log2((seen[value] + 0.5) / (sum(seen) + 1))
        seen[value] += 1
    bits = len(encoded([(0, value) for value in values]))
    assert ideal <= bits <= ideal + 3
    share = ones / 1_000
    entropy = 0.0 if share in (0, 1) else -1_000 * (share * log2(share) + (1 - share) * log2(1 - share))
    assert bits <= entropy + 0.5 * log2(1_000) + 4


def test_contexts_learn_each_for_itself() -> None:
    apart = [(i % 2, i % 2 == 1) for i in range(400)]
    together = [(0, value) for _, value in apart]
    assert len(encoded(apart)) < 20
    assert len(encoded(together)) > 390


def test_an_encoder_must_be_told() -> None:
    with pytest.raises(ValueError, match="must be told"):
        Encoder().decide(0, None)
