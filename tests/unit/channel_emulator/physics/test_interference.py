"""Bursts from elsewhere: their power, how often they are on, and that they belong to the air."""

import numpy as np
import pytest

from channel_emulator.physics.interference import add_interference
from shared.channel_config import InterferenceConfig

USES = 200_000


def heard(
    source: InterferenceConfig, first_use: int = 0, uses: int = USES, user: int = 0, seed: int = 5
) -> np.ndarray:
    received = np.zeros(uses, np.complex64)
    add_interference(received, [source], seed, user, first_use)
    return received


@pytest.mark.parametrize("sir_db", [-10.0, 0.0, 10.0])
def test_power_is_the_signals_over_the_ratio(sir_db: float) -> None:
    power = np.abs(heard(InterferenceConfig(sir_db=sir_db)).astype(np.complex128)) ** 2
    assert power.mean() * 10.0 ** (sir_db / 10.0) == pytest.approx(1.0, abs=5 / np.sqrt(USES))
    assert (power**2).mean() / power.mean() ** 2 == pytest.approx(2.0, abs=0.05)  # of a complex Gaussian


def test_bursts_are_on_as_often_as_they_should_be_and_whole() -> None:
    source = InterferenceConfig(sir_db=0.0, duty=0.3, burst_uses=50)
    on = heard(source).reshape(-1, 50) != 0
    assert set(on.sum(1)) == {0, 50}
    share = on.any(1).mean()
    assert share == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / (USES / 50)))


def test_a_frame_cut_in_two_meets_the_same_and_a_later_one_another_piece() -> None:
    source = InterferenceConfig(sir_db=3.0, duty=0.5, burst_uses=64)
    whole = heard(source, 1_000, 500)
    np.testing.assert_array_equal(
        np.concatenate([heard(source, 1_000, 130), heard(source, 1_130, 370)]), whole
    )
    assert abs(np.vdot(heard(source, 2_000, 500), whole)) < 0.2 * np.vdot(whole, whole).real


def test_who_listens_hears_the_same_and_others_nothing() -> None:
    source = InterferenceConfig(sir_db=0.0, users=(1, 2))
    np.testing.assert_array_equal(heard(source, user=1), heard(source, user=2))
    assert not heard(source, user=0).any()
    assert not np.array_equal(heard(source, user=1), heard(source, user=1, seed=6))


def test_interferers_add_up() -> None:
    sources = [InterferenceConfig(sir_db=0.0), InterferenceConfig(sir_db=0.0)]
    both = np.zeros(USES, np.complex64)
    add_interference(both, sources, 5, 0, 0)
    assert (np.abs(both) ** 2).mean() == pytest.approx(2.0, abs=0.03)
