"""Faults of the air against theory: powers, correlations, clipping; and whom they leave alone."""

import math
from typing import Any

import numpy as np
import pytest

from channel_emulator.air import Air, open_frame
from channel_emulator.faults.chain import FaultChain
from channel_emulator.physics.air_change import AirChange
from channel_emulator.physics.fading import fading_of
from shared.air.csi import channel_gain
from shared.air.pilots import pilot_sequence
from shared.air.samples import from_wire
from shared.fault_config import FaultConfig
from shared.wire.messages import SideInfo, SymbolFrame
from tests.unit.channel_emulator.support import config, frame, qpsk, side_info

N = 2**16  # relative standard error of a noise power: 0.4%, or 0.017 dB
QUIET_DB = 90.0


def made(**fault: Any) -> FaultConfig:
    return config(model="rayleigh", side_info="ldpc", faults=(fault,)).channel.faults[0]


def changes(
    *faults: dict[str, Any],
    message: SymbolFrame | SideInfo | None = None,
    user: int = 0,
    at_s: float = 0.0,
    seed: int = 1,
) -> tuple[AirChange, ...]:
    """What a message meets on the air, so long after the run's first."""
    chain = FaultChain(tuple(made(**fault) for fault in faults), seed)
    chain.begin(100.0)
    chain.changes(100.0)
    chain.changes(100.0 + at_s)
    return chain.fate(message or frame(), user, "down", 100.0 + at_s, on_air=True).air


def heard(sent: SymbolFrame, met: tuple[AirChange, ...], user: int = 0, **channel: Any) -> np.ndarray:
    return samples_of(Air(config(**channel)).receive(open_frame(sent), user, met))


def samples_of(received: SymbolFrame) -> np.ndarray:
    return from_wire(received.payload, received.sample_format, received.full_scale, received.uses)


def power_db(samples: np.ndarray) -> float:
    return 10.0 * math.log10(float(np.mean(np.abs(samples.astype(complex)) ** 2)))


def long_frame(samples: np.ndarray, **changed: Any) -> SymbolFrame:
    return frame(samples=samples, n_tokens=64, **changed)


# --- deep_fade ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth_db", [3.0, 17.0])
def test_a_fade_takes_from_the_signal_and_its_pilots_and_leaves_the_noise(depth_db: float) -> None:
    x = np.concatenate([pilot_sequence(64), qpsk(N)])
    sent = frame(samples=x, n_tokens=64, pilot_uses=64)
    faded = changes({"fault": "deep_fade", "depth_db": depth_db})
    loud, faint = (heard(sent, met, model="rayleigh", snr_db=QUIET_DB) for met in ((), faded))
    for part in (slice(0, 64), slice(64, None)):
        assert power_db(loud[part]) - power_db(faint[part]) == pytest.approx(depth_db, abs=0.1)
    noisy = heard(sent, faded, model="awgn", snr_db=5.0)
    noise = noisy - 10.0 ** (-depth_db / 20.0) * x
    assert power_db(noise) == pytest.approx(-5.0, abs=0.1)
    np.testing.assert_allclose(noise, heard(sent, (), model="awgn", snr_db=5.0) - x, atol=1e-5)


@pytest.mark.parametrize("csi", ["genie", "pilots"])
def test_receivers_know_of_a_fade(csi: Any) -> None:
    sent = frame(samples=np.concatenate([pilot_sequence(64), qpsk(64)]), pilot_uses=64)
    channel = config(model="rayleigh", csi=csi, snr_db=QUIET_DB).channel
    gains = []
    for met in ((), changes({"fault": "deep_fade", "depth_db": 20.0})):
        received = Air(config(model="rayleigh", csi=csi, snr_db=QUIET_DB)).receive(open_frame(sent), 0, met)
        gains.append(channel_gain(received, samples_of(received), channel, 0.0)[0])
    assert gains[1] == pytest.approx(0.1 * gains[0], rel=1e-3)


# --- snr_drop -----------------------------------------------------------------------------------------


def noise_db(met: tuple[AirChange, ...]) -> float:
    x = qpsk(N)
    return power_db(heard(long_frame(x), met, model="awgn", snr_db=20.0) - x)


@pytest.mark.parametrize("drop_db", [3.0, 25.0])
def test_the_snr_falls_by_its_drop(drop_db: float) -> None:
    assert noise_db(changes({"fault": "snr_drop", "drop_db": drop_db})) == pytest.approx(
        drop_db - 20.0, abs=0.1
    )


def test_a_ramp_is_linear_in_decibels_and_ends_with_its_window() -> None:
    ramp = {"fault": "snr_drop", "drop_db": 12.0, "ramp": True, "at_s": 10.0, "for_s": 20.0}
    found = [noise_db(changes(ramp, at_s=at_s)) for at_s in (9.9, 10.0, 15.0, 29.9, 30.0)]
    assert found == pytest.approx([-20.0, -20.0, -17.0, -8.06, -20.0], abs=0.1)


def test_a_drop_leaves_gains_and_pilots_alone() -> None:
    sent = frame(samples=qpsk(64))
    received = [
        Air(config(model="rayleigh", csi="genie")).receive(open_frame(sent), 0, met)
        for met in ((), changes({"fault": "snr_drop", "drop_db": 9.0}))
    ]
    assert received[0].genie_blocks == received[1].genie_blocks


# --- jammer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jam_db", [-6.0, 4.0])
def test_a_jammer_has_its_power_over_the_signals(jam_db: float) -> None:
    x = qpsk(N)
    met = changes({"fault": "jammer", "jam_to_signal_db": jam_db}, message=long_frame(x))
    jam = heard(long_frame(x), met, model="awgn", snr_db=QUIET_DB) - x
    assert power_db(jam) - power_db(x) == pytest.approx(jam_db, abs=0.1)
    fourth = np.mean(np.abs(jam) ** 4) / np.mean(np.abs(jam) ** 2) ** 2
    assert fourth == pytest.approx(2.0, abs=0.05)  # of a complex Gaussian


def test_a_jammer_is_on_for_its_share_and_strikes_what_it_meets() -> None:
    fault = {"fault": "jammer", "jam_to_signal_db": 0.0, "share": 0.3, "burst_uses": 64}
    sent = [frame(samples=qpsk(64), first_use=64 * i, frame_id=i) for i in range(2_000)]
    met = [changes(fault, message=message) for message in sent]
    struck = np.array([bool(m) for m in met])
    assert struck.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / len(sent)))
    for message, found in list(zip(sent, met, strict=True))[:40]:
        jam = heard(message, found, model="awgn", snr_db=QUIET_DB) - qpsk(64)
        assert power_db(jam) == pytest.approx(0.0 if found else -QUIET_DB, abs=5.0)


def test_all_in_its_reach_hear_the_same_jammer() -> None:
    sent = frame(users=(0, 1), samples=qpsk(64))
    fault = {"fault": "jammer", "jam_to_signal_db": 20.0}
    jams = [
        heard(sent, changes(fault, message=sent, user=user), user, model="awgn", snr_db=QUIET_DB)
        for user in (0, 1)
    ]
    np.testing.assert_allclose(jams[0], jams[1], atol=1e-3)


# --- stale_csi ----------------------------------------------------------------------------------------

BLOCKS = 4_096


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
def test_the_error_vector_is_that_of_an_estimate_of_its_correlation(rho: float) -> None:
    """y = h x + n, and of the estimate ĥ: E|y - ĥ x|² = 2 (1 - ρ) + N0, E|y - ρ ĥ x|² = 1 - ρ² + N0."""
    channel = {"model": "rayleigh", "csi": "genie", "coherence": "uses", "coherence_uses": 1, "snr_db": 20.0}
    air, met = Air(config(**channel)), changes({"fault": "stale_csi", "correlation": rho})
    x, estimates, ys = qpsk(BLOCKS), [], []
    for i in range(8):
        sent = frame(samples=x, first_use=i * BLOCKS, frame_id=i)
        received = air.receive(open_frame(sent), 0, met)
        gain, _ = channel_gain(received, samples_of(received), config(**channel).channel, 0.01)
        estimates.append(np.asarray(gain))
        ys.append(samples_of(received))
    estimate, y = np.concatenate(estimates), np.concatenate(ys)
    x = np.tile(x, 8)
    scatter = 5 / math.sqrt(len(y))
    assert np.mean(np.abs(estimate) ** 2) == pytest.approx(1.0, abs=scatter)
    assert np.mean(y * (estimate * x).conj()) == pytest.approx(rho, abs=scatter)
    assert np.mean(np.abs(y - estimate * x) ** 2) == pytest.approx(2 * (1 - rho) + 0.01, rel=scatter)
    assert np.mean(np.abs(y - rho * estimate * x) ** 2) == pytest.approx(1 - rho**2 + 0.01, rel=scatter)


@pytest.mark.parametrize("model", ["rayleigh", "rician", "tdl_c"])
def test_pilots_meet_the_old_channel_and_data_todays(model: Any) -> None:
    channel = {"model": model, "snr_db": QUIET_DB, "k_factor_db": 3.0}
    x = np.concatenate([pilot_sequence(16), qpsk(64)])
    sent = frame(samples=x, pilot_uses=16, first_use=37)
    met = changes({"fault": "stale_csi", "correlation": 0.5})
    today, y = heard(sent, (), **channel), heard(sent, met, **channel)
    np.testing.assert_allclose(y[16:], today[16:], atol=1e-4)
    assert np.abs(y[:16] - today[:16]).min() > 1e-2
    genie = Air(config(csi="genie", **channel)).receive(open_frame(sent), 0, met)
    old, _ = channel_gain(genie, x, config(csi="genie", **channel).channel, 0.0)
    gain = np.broadcast_to(old, 80)
    np.testing.assert_allclose(y[:16], (gain * x)[:16], atol=1e-3)


def test_a_frame_over_several_blocks_has_old_pilots_alone() -> None:
    channel = {
        "model": "rayleigh", "snr_db": QUIET_DB, "coherence": "uses", "coherence_uses": 10
    }  # fmt: skip
    x = np.concatenate([pilot_sequence(16), qpsk(64)])
    sent = frame(samples=x, pilot_uses=16, first_use=7)
    met = changes({"fault": "stale_csi", "correlation": 0.2})
    today, y = heard(sent, (), **channel), heard(sent, met, **channel)
    np.testing.assert_allclose(y[16:], today[16:], atol=1e-4)
    blocks = (np.arange(16) + 7) // 10
    old, now = y[:16] / x[:16], today[:16] / x[:16]
    for block in np.unique(blocks):
        assert np.ptp(np.abs(old[blocks == block] - old[blocks == block][0])) < 1e-3
        assert abs(old[blocks == block][0] - now[blocks == block][0]) > 1e-2


def test_a_block_has_one_old_channel_and_a_line_of_sight_does_not_age() -> None:
    met = changes({"fault": "stale_csi", "correlation": 0.0})
    channel = {"model": "rician", "csi": "genie", "k_factor_db": 40.0}
    named = [
        Air(config(**channel))
        .receive(open_frame(frame(frame_id=i, attempt=i, group_id=g)), 0, met)
        .genie_blocks
        for i, g in ((0, 0), (1, 0), (0, 1))
    ]
    assert named[0] == named[1] != named[2]
    assert complex(*named[0][0][1]) == pytest.approx(1.0, abs=0.05)  # scatter of 0.01
    assert fading_of(config(**channel).channel, 1).realise(0, 0, 0, 64).single != complex(*named[0][0][1])


# --- clipping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip_db", [-3.0, 0.0, 6.0])
def test_a_clipped_gaussian_signal_has_its_power_its_peak_and_its_attenuation(clip_db: float) -> None:
    """γ² = A² / RMS²: power 1 - exp(-γ²), attenuation 1 - exp(-γ²) + sqrt(π) γ / 2 erfc(γ) (Bussgang;
    Ochiai and Imai 2002)."""
    rng = np.random.default_rng(1)
    x = (rng.standard_normal(N) + 1j * rng.standard_normal(N)).astype(np.complex64) / math.sqrt(2)
    met = changes({"fault": "clipping", "clip_db": clip_db})
    whole, y = (heard(long_frame(x), m, model="awgn", snr_db=QUIET_DB) for m in ((), met))
    rms, gamma = math.sqrt(float(np.mean(np.abs(whole) ** 2))), 10.0 ** (clip_db / 20.0)
    assert np.abs(y).max() == pytest.approx(gamma * rms, rel=1e-5)
    power = 1.0 - math.exp(-(gamma**2))
    assert power_db(y / rms) == pytest.approx(10 * math.log10(power), abs=0.05)
    papr_db = 20 * math.log10(np.abs(y).max()) - power_db(y)
    assert papr_db == pytest.approx(clip_db - 10 * math.log10(power), abs=0.05)
    attenuation = np.vdot(whole, y) / np.vdot(whole, whole)
    expected = power + math.sqrt(math.pi) / 2 * gamma * math.erfc(gamma)
    assert attenuation == pytest.approx(expected, abs=0.01)
    np.testing.assert_allclose(np.angle(y), np.angle(whole), atol=1e-4)
    untouched = np.abs(whole) <= gamma * rms * 0.999
    np.testing.assert_array_equal(y[untouched], whole[untouched])


def test_what_is_weaker_than_the_level_passes_bit_for_bit() -> None:
    sent = long_frame(qpsk(N))
    met = changes({"fault": "clipping", "clip_db": 20.0})
    np.testing.assert_array_equal(*(heard(sent, m, model="awgn", snr_db=20.0) for m in ((), met)))


# --- all of them --------------------------------------------------------------------------------------

ALL: tuple[dict[str, Any], ...] = (
    {"fault": "clipping", "clip_db": 1.0},
    {"fault": "jammer", "jam_to_signal_db": 0.0},
    {"fault": "stale_csi", "correlation": 0.5},
    {"fault": "snr_drop", "drop_db": 6.0},
    {"fault": "deep_fade", "depth_db": 10.0},
)


def test_several_at_once_add_up_in_the_order_of_the_air() -> None:
    """A fade, then noise and the jammer, which does not fade, then the limiter over all of it."""
    x = qpsk(N)
    met = changes(*ALL, message=long_frame(x))
    assert len(met) == len(ALL)
    before_limit = changes(*ALL[1:], message=long_frame(x))
    y = heard(long_frame(x), before_limit, model="awgn", snr_db=6.0)
    assert power_db(y) == pytest.approx(10 * math.log10(0.1 + 1.0 + 1.0), abs=0.1)
    limited = heard(long_frame(x), met, model="awgn", snr_db=6.0)
    assert 20 * math.log10(np.abs(limited).max()) == pytest.approx(power_db(y) + 1.0, abs=0.01)
    backwards = changes(*ALL[::-1], message=long_frame(x))
    np.testing.assert_allclose(heard(long_frame(x), backwards, model="awgn", snr_db=6.0), limited, atol=1e-6)


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault["fault"])
def test_the_same_seed_gives_the_same_and_users_who_are_not_met_hear_no_difference(
    fault: dict[str, Any],
) -> None:
    sent = frame(users=(0, 1, 2), samples=qpsk(256), sample_format="cs16")
    channel = {"model": "rayleigh", "csi": "genie"}

    def receive(user: int, users: int, *faults: dict[str, Any], seed: int = 1) -> SymbolFrame:
        met = changes(*faults, message=sent, user=user, seed=seed)
        return Air(config(users=users, **channel)).receive(open_frame(sent), user, met)

    aimed = {**fault, "users": [1]}
    assert receive(1, 4, aimed) == receive(1, 9, aimed)
    assert receive(1, 4, aimed) == receive(1, 4, {"fault": "loss", "probability": 0.0}, aimed)
    assert receive(1, 4, aimed) != receive(1, 4)
    assert receive(0, 4, aimed) == receive(0, 4)
    if fault["fault"] in ("jammer", "stale_csi"):
        assert receive(1, 4, aimed) != receive(1, 4, aimed, seed=2)


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault["fault"])
def test_only_what_passes_the_air_is_struck(fault: dict[str, Any]) -> None:
    chain = FaultChain((made(**fault),), 1)
    chain.begin(0.0)
    chain.changes(0.0)
    assert chain.fate(side_info(), 0, "down", on_air=True).air
    assert not chain.fate(side_info(), 0, "down", on_air=False).harmed
    assert not chain.fate(frame(), 0, "up", on_air=True).harmed
    assert chain.strikes == {f"{fault['fault']}.0": 1}


@pytest.mark.parametrize(
    ("fault", "channel", "expected"),
    [
        *(
            (fault, {"model": "ideal"}, f"channel.faults.0: {fault['fault']}: an ideal channel")
            for fault in ALL
        ),
        (ALL[4] | {"classes": ["side"]}, {}, "channel.side_info 'ldpc'"),
        (ALL[4] | {"classes": ["control"]}, {}, "'public', 'private' or 'side'"),
        (ALL[4] | {"direction": "both"}, {}, "'down'"),
        (ALL[2], {"model": "awgn"}, "an AWGN channel never changes"),
        (ALL[3] | {"ramp": True}, {}, "expected for_s"),
        (ALL[3] | {"drop_db": -1.0}, {}, "greater than 0"),
        (ALL[2] | {"correlation": 1.0}, {}, "less than 1"),
        (ALL[1] | {"share": 0.0}, {}, "greater than 0"),
    ],
)
def test_what_has_no_meaning_is_refused_at_the_door(
    fault: dict[str, Any], channel: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        config(faults=(fault,), **{"model": "rayleigh", **channel})
