"""Frames added up and taken apart: what comes out is the frame, with the noise that theory says."""

import numpy as np
import pytest

from shared.air.frame_sum import MOST_FRAMES, TURNS, add, named_frames, take_apart
from shared.wire.messages import SymbolFrame


def symbols(rng: np.random.Generator, uses: int, mean: complex = 0.0) -> np.ndarray:
    """Of unit variance around `mean`."""
    noise = rng.standard_normal((uses, 2)) @ [1.0, 1.0j] / 2**0.5
    return (mean + noise).astype(np.complex64)


@pytest.mark.parametrize("frames", range(2, MOST_FRAMES + 1))
def test_each_frame_comes_out_where_the_others_are_known(frames: int) -> None:
    rng = np.random.default_rng(frames)
    bodies = [symbols(rng, 40 - 8 * i) for i in range(frames)]
    sent_U = add(bodies)
    for wanted, body_V in enumerate(bodies):
        known = [None if i == wanted else (b, np.zeros(len(b), np.float32)) for i, b in enumerate(bodies)]
        found_U, noise_U = take_apart(sent_U, np.zeros(40, np.float32), known)
        np.testing.assert_allclose(found_U[: len(body_V)], body_V, atol=1e-5)
        np.testing.assert_allclose(found_U[len(body_V) :], 0.0, atol=1e-5)
        assert not noise_U.any()


@pytest.mark.parametrize("frames", range(2, MOST_FRAMES + 1))
def test_noise_is_2k_minus_1_times_that_of_a_frame_by_itself(frames: int) -> None:
    rng = np.random.default_rng(7)
    uses, level = 200_000, 0.05
    bodies = [symbols(rng, uses) for _ in range(frames)]

    def received(body_U: np.ndarray) -> np.ndarray:
        return body_U + level**0.5 * symbols(rng, uses)

    flat = np.full(uses, level, np.float32)
    known = [None, *((received(body), flat) for body in bodies[1:])]
    found_U, noise_U = take_apart(received(add(bodies)), flat, known)
    np.testing.assert_allclose(noise_U, (2 * frames - 1) * level, rtol=1e-5)
    measured = np.mean(np.abs(found_U - bodies[0]) ** 2)
    # the mean of `uses` exponential variables: five standard deviations
    assert measured == pytest.approx((2 * frames - 1) * level, rel=5 / uses**0.5)


@pytest.mark.parametrize("frames", range(2, MOST_FRAMES + 1))
def test_a_common_mean_adds_no_power(frames: int) -> None:
    assert abs(sum(TURNS[:frames])) ** 2 == pytest.approx(frames)
    rng = np.random.default_rng(3)
    bodies = [symbols(rng, 200_000, mean=1.0 - 0.5j) for _ in range(frames)]
    power = np.mean(np.abs(add(bodies)) ** 2)
    assert power == pytest.approx(1.0 + 1.25, rel=0.02)


def test_names_are_those_of_side_information() -> None:
    frame = SymbolFrame(
        stream="public", users=(1, 2), group_id=3, frame_id=4, attempt=1, first_token=16, n_tokens=16,
        uses_per_token=2, pilot_uses=0, first_use=0, uses=32, energy=32.0, sample_format="cf32",
        full_scale=1.0, added=((5, 32, 7),), payload=bytes(256),
    )  # fmt: skip
    assert named_frames(frame) == [(4, 0, 16, 16), (5, 0, 32, 7)]
