"""Digital frames, as the base station codes them, through AWGN: tokens, failures, and what copies do."""

import math
from dataclasses import replace

import numpy as np
import pytest

from basestation.channel_code import CodedGroup, body_uses, code_frames
from basestation.compare import compare
from basestation.partition import partition
from shared.air import quantise, samples, transport
from shared.config import ChannelConfig
from shared.wire.errors import ProtocolError
from shared.wire.messages import SymbolFrame
from tests.unit.basestation.test_partition import EXACT_ONLY, sequence
from userequipment.channel_decode import Air, TokenSymbols
from userequipment.combine import combined_snr_db, equalise_copies

USES, BITS, TOKENS = 14, 4, 10


def coded(snr_db: tuple[float, float]) -> tuple[CodedGroup, ChannelConfig, dict[int, int]]:
    """Two users ask about one image of ten tokens; and how long the bodies of frames are, by frame_id."""
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, (1, 3))]
    comparison = compare(group, EXACT_ONLY, 2)
    plan = partition(group, comparison, tokens_per_frame=16)
    channel = ChannelConfig(
        model="awgn", snr_db=snr_db, mode="digital", quantiser_bits=BITS, sample_format="cf32"
    )
    found = code_frames(plan.frames, comparison.vectors, {}, 0, channel, symbols_of, attempts=3)
    return found, channel, {p.frame_id: body_uses(p, channel, USES) for p in plan.frames}


def symbols_of(vectors_ND: np.ndarray, stream: str) -> np.ndarray:
    """Gaussian ones, drawn by what the token is."""
    rows = [np.random.default_rng(np.abs(v).astype(np.float32).view(np.uint32)) for v in vectors_ND]
    drawn = [rng.standard_normal((2, USES)) for rng in rows]
    symbols: np.ndarray = np.stack([re + 1j * im for re, im in drawn]).astype(np.complex64)
    return symbols


def through_awgn(frame: SymbolFrame, snr_db: float, seed: int = 0) -> SymbolFrame:
    signal = samples.from_wire(frame.payload, "cf32", frame.full_scale, frame.uses)
    rng = np.random.default_rng((seed, frame.frame_id, frame.attempt))
    noise = rng.standard_normal(frame.uses) + 1j * rng.standard_normal(frame.uses)
    noisy = signal + math.sqrt(10.0 ** (-snr_db / 10.0) / 2) * noise
    payload, full_scale = samples.to_wire(noisy.astype(np.complex64), "cf32")
    return replace(frame, payload=payload, full_scale=full_scale)


def image_frame(group: CodedGroup) -> SymbolFrame:
    return next(f for f in group.frames if f.stream == "public" and f.n_tokens == TOKENS)


def sent_symbols(group: CodedGroup) -> dict[int, TokenSymbols]:
    """What a user without noise reads."""
    return equalise_copies([image_frame(group)], Air(ChannelConfig(model="ideal", mode="digital"), 100.0))


def test_tokens_come_back_as_they_were_quantised() -> None:
    group, channel, _ = coded((12.0, 12.0))
    frame = image_frame(group)
    exact = sent_symbols(group)
    tokens = equalise_copies([through_awgn(frame, 12.0)], Air(channel, 12.0))
    assert sorted(tokens) == list(range(TOKENS))
    for place, token in tokens.items():
        np.testing.assert_array_equal(token.symbols_U, exact[place].symbols_U)
        np.testing.assert_allclose(token.noise_variance_U, quantise.error_variance(BITS))
    assert combined_snr_db([through_awgn(frame, 12.0)], Air(channel, 12.0)) == math.inf


def test_frames_have_unit_power_and_the_uses_they_were_priced_at() -> None:
    """Of QAM the power is one on average: what a group spends beside that, the ledger says."""
    group, _, uses = coded((12.0, 12.0))
    spent = sum(frame.energy for frame in group.frames)
    assert spent == pytest.approx(sum(frame.uses for frame in group.frames), rel=0.1)
    for frame in group.frames:
        assert frame.uses == uses[frame.frame_id]
        assert frame.quantiser_bits == BITS
        assert len(group.repeats[frame.frame_id]) == 2
        assert {bytes(f.payload) for f in group.repeats[frame.frame_id]}.isdisjoint({bytes(frame.payload)})


def test_a_broadcast_is_coded_for_its_worst_user() -> None:
    well, _, _ = coded((17.0, 17.0))
    mixed, _, _ = coded((17.0, 1.5))
    n_bits = TOKENS * quantise.bits_per_token(USES, BITS)
    schemes = [transport.mcs_of(n_bits, image_frame(g).uses) for g in (well, mixed)]
    assert schemes == [transport.mcs_at(17.0), transport.mcs_at(1.5)]
    own = {f.users: f.uses for f in mixed.frames if f.stream == "private"}
    assert own[(0,)] < own[(1,)]


def test_what_fails_is_absent_until_new_redundancy_makes_it_whole() -> None:
    group, channel, _ = coded((12.6, 12.6))
    first = image_frame(group)
    versions = [replace(f, attempt=n) for n, f in enumerate((first, *group.repeats[first.frame_id]))]
    heard = [through_awgn(f, 8.0) for f in versions]
    air = Air(channel, 8.0)
    assert equalise_copies(heard[:1], air) == {}
    assert combined_snr_db(heard[:1], air) == -math.inf
    exact = sent_symbols(group)
    whole = equalise_copies(heard[:2], air)
    assert whole.keys() == exact.keys()
    np.testing.assert_array_equal(whole[3].symbols_U, exact[3].symbols_U)


def test_damaged_copies_do_not_count_and_lengths_of_no_scheme_are_refused() -> None:
    group, channel, _ = coded((12.0, 12.0))
    frame = through_awgn(image_frame(group), 12.0)
    air = Air(channel, 12.0)
    broken = replace(frame, attempt=1, payload=bytes(8))
    assert len(equalise_copies([broken, frame], air)) == TOKENS
    with pytest.raises(ProtocolError, match="a readable copy"):
        equalise_copies([broken], air)
    with pytest.raises(ProtocolError, match="no scheme has so many"):
        equalise_copies([replace(frame, uses=frame.uses - 1)], air)
