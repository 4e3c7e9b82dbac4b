"""The UE undoes the amplitude that a stream was sent times, and its noise becomes smaller or larger by it."""

from dataclasses import replace

import numpy as np
import torch

from shared.air.power import amplitude_code, amplitude_of
from shared.semantic.receiver import SemanticReceiver
from shared.starting import load_bundle
from shared.token_runs import TokenState
from userequipment.channel_decode import TokenSymbols
from userequipment.decode import channel_decode
from userequipment.reassemble import Position

UNITY = amplitude_code(1.0)


def positions(uses: int, public: float, private: float) -> list[Position]:
    """Two public tokens and a private one, as they arrive behind N0 = 0.1, sent times these amplitudes."""
    rng = np.random.default_rng(0)
    found = []
    for place, (state, amplitude) in enumerate(
        [(TokenState.PUBLIC, public), (TokenState.PRIVATE, private), (TokenState.PUBLIC, public)]
    ):
        own_U = (rng.standard_normal(uses) + 1j * rng.standard_normal(uses)).astype(np.complex64)
        noise_U = np.full(uses, 0.1 * amplitude**2, np.float32)
        token = TokenSymbols(np.complex64(amplitude) * own_U, noise_U)
        found.append(Position(state, place, state.name.lower(), token))
    return found


def test_each_stream_is_divided_by_its_own_amplitude() -> None:
    receiver = SemanticReceiver(load_bundle("micro", "receiver"))
    codes = (UNITY + 12, UNITY - 9)
    public, private = map(amplitude_of, codes)
    plain = channel_decode(positions(receiver.uses_per_token, 1.0, 1.0), receiver, (UNITY, UNITY))
    sent = positions(receiver.uses_per_token, public, private)
    torch.testing.assert_close(channel_decode(sent, receiver, codes), plain, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(channel_decode(sent, receiver, codes[::-1]), plain, rtol=0.1)


def test_what_was_not_sent_is_what_infinite_noise_would_leave_of_it() -> None:
    receiver = SemanticReceiver(load_bundle("micro", "receiver"))
    whole = positions(receiver.uses_per_token, 1.0, 1.0)
    cut, drowned = [], []
    for position in whole:
        assert position.token is not None
        symbols_U, noise_U = position.token.symbols_U, position.token.noise_variance_U
        cut.append(replace(position, token=TokenSymbols(symbols_U[:5], noise_U[:5])))
        loud_U = np.where(np.arange(len(noise_U)) < 5, noise_U, np.float32(1e12))
        drowned.append(replace(position, token=TokenSymbols(symbols_U, loud_U)))
    few = channel_decode(cut, receiver, (UNITY, UNITY))
    torch.testing.assert_close(few, channel_decode(drowned, receiver, (UNITY, UNITY)), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(few, channel_decode(whole, receiver, (UNITY, UNITY)), rtol=0.1)
