"""Analog symbols in frames: unit power over the part, pilots apart, and every token in its place."""

import numpy as np
import pytest

from shared.air import samples, symbol_frames
from shared.air.symbol_frames import MOST_USES
from shared.config import ChannelConfig
from shared.wire.errors import LocalProtocolError


@pytest.mark.parametrize("model", ["awgn", "rayleigh"])
def test_a_parts_energy_is_its_channel_uses(model: str) -> None:
    rng = np.random.default_rng(0)
    symbols_NU = (rng.standard_normal((196, 6, 2)) @ [7, 7j]).astype(np.complex64)
    channel = ChannelConfig(model=model, sample_format="cf32")  # type: ignore[arg-type]
    frames = symbol_frames.frames_of(
        symbols_NU, channel, stream="public", users=(0, 2), group_id=3, first_frame=5, first_token=40
    )
    assert [f.frame_id for f in frames] == list(range(5, 5 + len(frames)))
    assert sum(f.energy for f in frames) == pytest.approx(sum(f.uses for f in frames), rel=1e-4)
    assert all(f.uses - f.pilot_uses <= MOST_USES for f in frames)
    assert {f.pilot_uses for f in frames} == {channel.pilot_uses if model == "rayleigh" else 0}
    place, rows = 40, []
    for f in frames:
        assert f.first_token == place
        place += f.n_tokens
        body = samples.from_wire(f.payload, f.sample_format, f.full_scale, f.uses)[f.pilot_uses :]
        rows.append(body.reshape(f.n_tokens, f.uses_per_token))
    sent_NU = np.concatenate(rows)
    assert sent_NU.shape == symbols_NU.shape
    ratio = sent_NU / symbols_NU
    assert np.allclose(ratio, ratio[0, 0], rtol=1e-4), "one amplitude for all"


def test_silence_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="power"):
        symbol_frames.frames_of(
            np.zeros((2, 2), np.complex64),
            ChannelConfig(),
            stream="private",
            users=(0,),
            group_id=0,
            first_frame=0,
            first_token=0,
        )
