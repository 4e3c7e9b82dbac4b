"""Equalised symbols and their noise level, against what was sent."""

from typing import Literal

import numpy as np
import pytest

from shared.air import pilots, samples
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air, equalise_frame

TOKENS, USES = 3, 20
AWGN = ChannelConfig(model="awgn")


def frame_of(signal: np.ndarray, pilot_uses: int = 0, **changes: object) -> SymbolFrame:
    payload, full_scale = samples.to_wire(signal.astype(np.complex64), "cf32")
    fields: dict[str, object] = {
        "stream": "public",
        "users": (0,),
        "group_id": 1,
        "frame_id": 2,
        "attempt": 0,
        "first_token": 5,
        "n_tokens": TOKENS,
        "uses_per_token": USES,
        "pilot_uses": pilot_uses,
        "first_use": 0,
        "uses": len(signal),
        "energy": float(len(signal)),
        "sample_format": "cf32",
        "full_scale": full_scale,
        "payload": payload,
    }
    return SymbolFrame(**(fields | changes))  # type: ignore[arg-type]


def unit_power(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(n) + 1j * rng.standard_normal(n)) / np.sqrt(2)


def test_without_fading_symbols_pass_and_the_noise_level_is_the_average_one() -> None:
    sent = unit_power(TOKENS * USES)
    tokens = equalise_frame(frame_of(sent), Air(AWGN, 10.0))
    assert sorted(tokens) == [5, 6, 7]
    np.testing.assert_allclose(tokens[6].symbols_U, sent[USES : 2 * USES], rtol=1e-6)
    np.testing.assert_allclose(tokens[6].noise_variance_U, 0.1, rtol=1e-6)


@pytest.mark.parametrize("csi", ["pilots", "genie"])
def test_a_faded_frame_is_equalised(csi: Literal["pilots", "genie"]) -> None:
    gain = 0.6 - 0.5j
    sent = np.concatenate([pilots.pilot_sequence(16), unit_power(TOKENS * USES)])
    frame = frame_of(gain * sent, pilot_uses=16, genie_blocks=((16 + TOKENS * USES, (gain.real, gain.imag)),))
    tokens = equalise_frame(frame, Air(ChannelConfig(model="rayleigh", csi=csi), 10.0))
    np.testing.assert_allclose(tokens[5].symbols_U, sent[16 : 16 + USES], rtol=1e-4, atol=1e-5)
    error_of_estimate = 0.1 / 16 if csi == "pilots" else 0.0
    expected = (0.1 + error_of_estimate) / abs(gain) ** 2
    np.testing.assert_allclose(tokens[5].noise_variance_U, expected, rtol=1e-4)


def test_a_token_over_two_fading_blocks_has_the_noise_of_both() -> None:
    sent = unit_power(TOKENS * USES)
    gain = np.repeat([1.0, 0.5], [30, 30])
    frame = frame_of(gain * sent, genie_blocks=((30, (1.0, 0.0)), (30, (0.5, 0.0))))
    tokens = equalise_frame(frame, Air(ChannelConfig(model="rayleigh", csi="genie"), 10.0))
    np.testing.assert_allclose(tokens[6].symbols_U, sent[USES : 2 * USES], rtol=1e-5)
    found = np.concatenate([tokens[i].noise_variance_U for i in (5, 6, 7)])
    np.testing.assert_allclose(found, np.repeat([0.1, 0.4], [30, 30]), rtol=1e-5)


def test_damaged_frames_are_protocol_errors() -> None:
    sent = unit_power(TOKENS * USES)
    with pytest.raises(ProtocolError):
        equalise_frame(frame_of(sent, n_tokens=TOKENS + 1), Air(AWGN, 10.0))
    with pytest.raises(ProtocolError):
        equalise_frame(frame_of(sent, uses=len(sent) + 1), Air(AWGN, 10.0))
    with pytest.raises(ProtocolError):
        equalise_frame(frame_of(sent), Air(ChannelConfig(model="rayleigh"), 10.0))
    bad = np.array(sent, np.complex64)
    bad[0] = complex(np.nan, 0)
    with pytest.raises(ProtocolError):
        equalise_frame(frame_of(sent, payload=bad.tobytes()), Air(AWGN, 10.0))
