"""Who stands in for whom, against the plain definition, pair by pair; and how far the shortcut is from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from basestation import similar
from basestation.similar import leaders_of
from shared.config import SharingConfig

D = 64


def are_similar(one: np.ndarray, other: np.ndarray, sharing: SharingConfig) -> bool:
    """The definition."""
    cosine = float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
    larger = max(one.var(), other.var())
    return bool(
        cosine >= sharing.cosine_threshold
        and abs(one.mean() - other.mean()) <= sharing.mean_threshold * larger**0.5
        and abs(one.var() - other.var()) <= sharing.variance_threshold * larger
    )


def crowd(amount: int, prototypes: int, noise: float, seed: int = 0) -> np.ndarray:
    """Tokens of Zipf-distributed prototypes, each a little off."""
    rng = np.random.default_rng(seed)
    base_PD = rng.standard_normal((prototypes, D)).astype(np.float32)
    share = 1.0 / np.arange(1, prototypes + 1)
    chosen = rng.choice(prototypes, amount, p=share / share.sum())
    tokens: np.ndarray = base_PD[chosen] + noise * rng.standard_normal((amount, D)).astype(np.float32)
    return tokens


@pytest.mark.parametrize("pivots", [1, 20])
def test_every_token_resembles_its_leader_and_leaders_lead_themselves(pivots: int) -> None:
    sharing = SharingConfig(cosine_threshold=0.99)
    tokens_MD = crowd(700, 60, 0.07)
    leader_M = leaders_of(tokens_MD, np.ones(700), sharing, pivots=pivots)
    assert (leader_M[leader_M] == leader_M).all()
    for token, leader in enumerate(leader_M.tolist()):
        assert token == leader or are_similar(tokens_MD[token], tokens_MD[leader], sharing)
    assert 50 <= len(set(leader_M.tolist())) < 350


def test_compared_all_with_all_no_two_leaders_resemble_each_other() -> None:
    sharing = SharingConfig(cosine_threshold=0.98)
    tokens_MD = crowd(300, 40, 0.1)
    leaders = np.unique(leaders_of(tokens_MD, np.ones(300), sharing, pivots=1))
    for place, one in enumerate(leaders):
        for other in leaders[:place]:
            assert not are_similar(tokens_MD[one], tokens_MD[other], sharing)


def test_the_shortcut_merges_nearly_what_all_pairs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    sharing = SharingConfig()
    tokens_MD = crowd(3_000, 750, 0.03)
    few = len(np.unique(leaders_of(tokens_MD, np.ones(3_000), sharing)))
    monkeypatch.setattr(similar, "BLOCK", 3_000)
    all_pairs = len(np.unique(leaders_of(tokens_MD, np.ones(3_000), sharing, pivots=1)))
    assert 3_000 - few >= 0.97 * (3_000 - all_pairs)


def test_who_serves_most_uses_leads() -> None:
    """Three in a row: the ends resemble the middle but not each other; with its weight an end wins."""
    rng = np.random.default_rng(3)
    one, aside = rng.standard_normal((2, D))
    aside -= aside @ one / (one @ one) * one
    aside *= np.linalg.norm(one) / np.linalg.norm(aside)
    tokens_MD = np.stack([np.cos(a) * one + np.sin(a) * aside for a in (0.0, 0.1, 0.2)])
    sharing = SharingConfig(cosine_threshold=float(np.cos(0.11)), mean_threshold=9, variance_threshold=9)
    assert leaders_of(tokens_MD, np.array([1, 1, 1]), sharing).tolist() == [1, 1, 1]
    assert leaders_of(tokens_MD, np.array([1, 1, 5]), sharing).tolist() == [1, 1, 1]
    assert leaders_of(tokens_MD[[0, 2]], np.array([1, 5]), sharing).tolist() == [0, 1]


def test_mean_and_variance_keep_parallel_vectors_apart() -> None:
    token_D = np.random.default_rng(1).standard_normal(D)
    loud = np.stack([token_D, 2 * token_D])
    assert leaders_of(loud, np.ones(2), SharingConfig()).tolist() == [0, 1]
    assert leaders_of(loud, np.ones(2), SharingConfig(variance_threshold=1.0)).tolist() == [0, 0]


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 8), st.integers(0, 3))
def test_any_number_of_tokens(amount: int, pivots: int, seed: int) -> None:
    tokens_MD = crowd(amount, 5, 0.05, seed)
    first = leaders_of(tokens_MD, np.ones(amount), SharingConfig(), seed, pivots)
    assert first.tolist() == leaders_of(tokens_MD, np.ones(amount), SharingConfig(), seed, pivots).tolist()
    assert len(first) == amount
