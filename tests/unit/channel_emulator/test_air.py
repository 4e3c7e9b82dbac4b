"""From a transmitted frame to a received one."""

import math
from typing import Any, Literal

import numpy as np
import pytest

from channel_emulator.air import Air, open_frame
from shared.air.csi import channel_gain
from shared.air.equalise import equalise
from shared.air.pilots import pilot_sequence
from shared.air.samples import from_wire
from shared.air.snr import n0_from_snr_db
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SAMPLE_FORMATS, SymbolFrame
from tests.unit.channel_emulator.support import config, frame, qpsk
from userequipment.channel_decode import Air as Hearing

N = 2**17  # relative standard error of a noise power: 0.28%, or 0.012 dB


def _receive(sent: SymbolFrame, user: int = 0, seed: int = 1, users: int = 4, **channel: Any) -> SymbolFrame:
    return Air(config(users=users, seed=seed, **channel)).receive(open_frame(sent), user)


def _samples(received: SymbolFrame) -> np.ndarray:
    return from_wire(received.payload, received.sample_format, received.full_scale, received.uses)


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 25.0])
def test_measured_snr_through_the_wire_format(sample_format: str, snr_db: float) -> None:
    # 0.1 dB is eight standard errors; cs8's own noise at 25 dB is another 0.02 dB.
    x = qpsk(N)
    y = _samples(
        _receive(frame(samples=x, sample_format=sample_format, n_tokens=64), model="awgn", snr_db=snr_db)
    )
    measured = -10 * math.log10(float(np.mean(np.abs(y - x).astype(float) ** 2)))
    assert measured == pytest.approx(snr_db, abs=0.1)


def test_each_user_has_its_own_snr_and_its_own_noise() -> None:
    x, snr_db = qpsk(N), (0.0, 20.0)
    sent = frame(users=(0, 1), samples=x, n_tokens=64)
    noise = [_samples(_receive(sent, u, users=2, snr_db=snr_db)) - x for u in (0, 1)]
    for w, expected in zip(noise, snr_db, strict=True):
        assert -10 * math.log10(float(np.mean(np.abs(w) ** 2))) == pytest.approx(expected, abs=0.1)
    correlation = abs(np.vdot(noise[0], noise[1])) / N / math.sqrt(1.0 * 0.01)
    assert correlation < 5 / math.sqrt(N)


def test_the_snr_follows_its_trace_on_the_channel_use_clock() -> None:
    """And the receiver is told the noise that there is."""
    x, trace = qpsk(N), ((0, 0, 12.0), (0, 1, 5.0), (1_000, 0, -2.0), (9_000, 0, 7.0))
    for first_use, snr_db in ((0, 12.0), (999, 12.0), (1_000, -2.0), (50_000, 7.0)):
        sent = frame(samples=x, n_tokens=64, first_use=first_use)
        y = _samples(_receive(sent, users=2, snr_db=0.0, snr_trace=trace))
        noise = float(np.mean(np.abs(y - x).astype(float) ** 2))
        assert -10 * math.log10(noise) == pytest.approx(snr_db, abs=0.1)
        heard = Hearing(config(users=2, snr_db=0.0, snr_trace=trace).channel, 0.0, user=0)
        assert heard.n0_at(first_use) == pytest.approx(noise, rel=0.02)


def test_interference_comes_on_top_of_noise_for_who_hears_it() -> None:
    """-3 dB of noise and 0 dB of interference make 1.76 dB."""
    x, sent = qpsk(N), frame(users=(0, 1), samples=qpsk(N), n_tokens=64)
    source = {"interference": [{"sir_db": 0.0, "users": [1]}]}
    for user, expected_db in ((0, 3.0), (1, -1.76)):
        y = _samples(_receive(sent, user, model="awgn", snr_db=3.0, **source))
        assert -10 * math.log10(float(np.mean(np.abs(y - x) ** 2))) == pytest.approx(expected_db, abs=0.1)


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
def test_an_ideal_channel_hands_on_every_bit(sample_format: str) -> None:
    sent = frame(sample_format=sample_format)
    received = _receive(sent, model="ideal")
    assert received.payload == sent.payload
    assert received.full_scale == sent.full_scale


def test_the_header_names_the_receiver_and_keeps_the_rest() -> None:
    sent = frame(users=(0, 2), attempt=1, frame_id=7)
    received = _receive(sent, 2)
    assert received.users == (2,)
    same = ("stream", "group_id", "frame_id", "attempt", "uses", "energy", "first_use", "sample_format")
    assert all(getattr(received, name) == getattr(sent, name) for name in same)
    assert received.genie_blocks == ()


def test_reception_is_a_function_of_seed_user_and_frame_alone() -> None:
    sent = frame(users=(0, 1, 2))
    rayleigh: dict[str, Any] = {"model": "rayleigh"}
    reference = _receive(sent, 1, **rayleigh)
    assert _receive(sent, 1, **rayleigh) == reference
    assert _receive(frame(users=(1,), stream="public"), 1, **rayleigh) == reference
    assert _receive(sent, 1, users=3, **rayleigh) == reference
    air = Air(config(**rayleigh))
    air.receive(open_frame(sent), 0)
    assert air.receive(open_frame(sent), 1) == reference
    others = [
        _receive(sent, 2, **rayleigh), _receive(sent, 1, seed=2, **rayleigh),
        _receive(frame(users=(0, 1, 2), attempt=1), 1, **rayleigh),
        _receive(frame(users=(0, 1, 2), frame_id=1), 1, **rayleigh),
    ]  # fmt: skip
    assert len({bytes(o.payload) for o in (*others, reference)}) == 5


def test_genie_and_pilots_agree_on_the_gain() -> None:
    p = pilot_sequence(64)
    sent = frame(samples=np.concatenate([p, qpsk(64)]), pilot_uses=64)
    gains: dict[str, Any] = {}
    modes: tuple[Literal["genie", "pilots"], ...] = ("genie", "pilots")
    for csi in modes:
        received = _receive(sent, model="rayleigh", snr_db=20.0, csi=csi)
        gains[csi], variance = channel_gain(
            received, _samples(received), ChannelConfig(model="rayleigh", csi=csi), 0.01
        )
    assert variance == 0.01 / 64
    assert abs(gains["pilots"] - gains["genie"]) < 5 * math.sqrt(variance)


@pytest.mark.parametrize("coherence", ["request", "uses"])
def test_cut_in_two_a_frame_meets_the_same_gains(coherence: str) -> None:
    channel: dict[str, Any] = {
        "model": "rayleigh", "csi": "genie", "coherence": coherence, "coherence_uses": 50, "snr_db": 100.0
    }  # fmt: skip
    x = qpsk(120)
    whole = _samples(_receive(frame(samples=x, first_use=30), **channel))
    halves = [
        _samples(_receive(frame(samples=part, first_use=30 + start, frame_id=i), **channel))
        for i, (start, part) in enumerate([(0, x[:40]), (40, x[40:])])
    ]
    np.testing.assert_allclose(np.concatenate(halves), whole, atol=1e-3)  # noise of 1e-5 apart
    again = _samples(_receive(frame(samples=x, first_use=30, attempt=1), **channel))
    np.testing.assert_allclose(again, whole, atol=1e-3)


def test_a_genie_names_every_block_that_a_frame_meets() -> None:
    x, snr_db = qpsk(2**14), 15.0
    received = _receive(
        frame(samples=x, first_use=30), model="rayleigh", csi="genie", coherence="uses", coherence_uses=50,
        snr_db=snr_db,
    )  # fmt: skip
    assert [n for n, _ in received.genie_blocks[:2]] == [20, 50]
    assert sum(n for n, _ in received.genie_blocks) == x.size
    y, n0 = _samples(received), n0_from_snr_db(snr_db)
    gain, _ = channel_gain(received, y, ChannelConfig(model="rayleigh", csi="genie"), n0)
    assert isinstance(gain, np.ndarray)
    x_hat, variances = equalise(y, gain, n0)
    normalised = np.abs(x_hat - x).astype(float) ** 2 / variances
    assert normalised.mean() == pytest.approx(1.0, abs=5 / math.sqrt(x.size))


@pytest.mark.parametrize("coherence", ["request", "uses"])
@pytest.mark.parametrize("model", ["tdl_a", "tdl_e", "lam_msc"])
def test_several_taps_are_undone_by_who_knows_them(model: str, coherence: str) -> None:
    """The genie's gains, subcarrier by subcarrier, leave noise of the variance that the equaliser says."""
    channel: dict[str, Any] = {
        "model": model, "csi": "genie", "coherence": coherence, "coherence_uses": 500,
        "delay_spread_ns": 300.0, "subcarriers": 128, "snr_db": 20.0,
    }  # fmt: skip
    x = qpsk(2**13)
    received = _receive(frame(samples=x, first_use=1_234), **channel)
    assert len(received.genie_blocks) == (1 if coherence == "request" else 17)
    y = _samples(received)
    gain, _ = channel_gain(received, y, ChannelConfig(**channel), 0.01)
    assert isinstance(gain, np.ndarray)
    assert len(np.unique(gain[:500].round(4))) > 50  # frequency-selective
    x_hat, variances = equalise(y, gain, 0.01)
    normalised = np.abs(x_hat - x).astype(float) ** 2 / variances
    assert normalised.mean() == pytest.approx(1.0, abs=5 / math.sqrt(x.size))


@pytest.mark.parametrize("estimator", ["ls", "lmmse"])
def test_pilots_learn_several_taps(estimator: Literal["ls", "lmmse"]) -> None:
    """16 pilots over 7.7 MHz of a channel of 100 ns: the estimate is near the genie's."""
    channel: dict[str, Any] = {"model": "tdl_c", "delay_spread_ns": 100.0, "snr_db": 30.0}
    p = pilot_sequence(16)
    sent = frame(samples=np.concatenate([p, qpsk(240)]), pilot_uses=16, first_use=77)
    known = _receive(sent, csi="genie", **channel)
    truth, _ = channel_gain(known, _samples(known), ChannelConfig(csi="genie", **channel), 0.001)
    heard = _receive(sent, **channel)
    gain, variance = channel_gain(
        heard, _samples(heard), ChannelConfig(estimator=estimator, **channel), 0.001
    )
    error = float(np.mean(np.abs(gain - truth) ** 2))
    assert error < (0.05 if estimator == "ls" else 0.01)
    assert float(np.mean(variance)) < 0.01


def test_a_genie_with_too_much_to_say_is_a_protocol_error() -> None:
    channel: dict[str, Any] = {"model": "rayleigh", "csi": "genie", "coherence": "uses", "coherence_uses": 1}
    assert len(_receive(frame(samples=qpsk(4_096)), **channel).genie_blocks) == 4_096
    with pytest.raises(ProtocolError, match="genie_blocks"):
        _receive(frame(samples=qpsk(4_097)), **channel)


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": bytes(8 * 63)},
        {"payload": bytes(8 * 64 + 1)},
        {"uses": 63},
        {"uses": 0, "payload": b""},
        {"uses_per_token": 65},
        {"uses_per_token": 32},
        {"payload": np.full(64, np.nan, np.complex64).tobytes()},
        {"payload": np.full(64, np.inf, np.complex64).tobytes()},
        {"payload": np.full(64, 1e30, np.complex64).tobytes()},
    ],
)
def test_damaged_samples_are_a_protocol_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="bad_samples"):
        open_frame(frame(**changes))


def test_amplitudes_that_the_air_lifts_out_of_range_are_a_protocol_error() -> None:
    with pytest.raises(ProtocolError, match="bad_samples"):
        _receive(frame(samples=np.full(64, 1e6, np.complex64)), model="awgn", snr_db=-50.0)


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
def test_what_one_has_received_is_not_what_the_next_receives(sample_format: str) -> None:
    air = Air(config(users=2, snr_db=10))
    sent = open_frame(frame(users=(0, 1), samples=qpsk(64), sample_format=sample_format))
    first = air.receive(sent, 0)
    kept = bytes(first.payload)
    assert air.receive(sent, 1).payload != kept
    assert first.payload == kept
