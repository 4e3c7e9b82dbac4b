"""Unit average power in every stream, whatever power the codec gives its tokens."""

import math

import numpy as np
import pytest

from basestation.channel_code import CodedGroup, code_frames
from basestation.compare import compare
from basestation.partition import partition
from shared.air import samples
from shared.air.power import amplitude_of
from shared.config import ChannelConfig, SharingConfig
from shared.rate import WHOLE, Prefixes
from shared.wire.errors import LocalProtocolError
from tests.unit.basestation.test_partition import EXACT_ONLY, sequence

PILOTS = 16


def encode(vectors_ND: np.ndarray, stream: str) -> np.ndarray:
    """Four channel uses a token, of the vectors' own power; private ones fainter."""
    symbols: np.ndarray = vectors_ND.astype(np.float32).view(np.complex64) * (
        0.01 if stream == "private" else 1.0
    )
    return symbols


def code(
    words_of_the_other: tuple[int, ...] = (3, 4), prefixes: Prefixes = WHOLE, **channel: object
) -> CodedGroup:
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, words_of_the_other)]
    comparison = compare(group, EXACT_ONLY, 2)
    plan = partition(group, comparison, tokens_per_frame=4)
    settings = ChannelConfig.model_validate({"model": "rayleigh", "sample_format": "cf32", **channel})
    return code_frames(plan.frames, comparison.vectors, {}, 0, settings, encode, prefixes)


def test_every_stream_has_unit_average_power_over_its_channel_uses() -> None:
    coded = code()
    spent: dict[tuple[str, tuple[int, ...]], float] = {}
    uses: dict[tuple[str, tuple[int, ...]], int] = {}
    for frame in coded.frames:
        stream = frame.stream, frame.users
        spent[stream] = spent.get(stream, 0.0) + frame.energy
        uses[stream] = uses.get(stream, 0) + frame.uses
    assert uses == {
        ("public", (0, 1)): 3 * PILOTS + 40,
        ("private", (0,)): PILOTS + 8,
        ("private", (1,)): PILOTS + 8,
    }
    for stream, energy in spent.items():
        assert energy == pytest.approx(uses[stream], rel=1e-5)


def test_tokens_keep_their_share_of_the_power() -> None:
    coded = code()
    body = [
        samples.from_wire(f.payload, "cf32", 1.0, f.uses)[PILOTS:]
        for f in coded.frames
        if f.stream == "public"
    ]
    sent_NU = np.concatenate(body).reshape(-1, 4)
    own_NU = encode(np.random.default_rng(7).standard_normal((10, 8)).astype(np.float32), "public")
    amplitude = coded.amplitudes["public", ""]
    np.testing.assert_allclose(sent_NU, amplitude * own_NU, rtol=1e-5)


def test_the_index_map_says_times_what_to_a_quarter_of_a_decibel() -> None:
    coded = code()
    public, private = (amplitude_of(code) for code in coded.codes_for("r0"))
    assert abs(20 * math.log10(public / coded.amplitudes["public", ""])) <= 0.2501
    assert abs(20 * math.log10(private / coded.amplitudes["private", "r0"])) <= 0.2501


def test_what_others_send_alone_does_not_change_my_power() -> None:
    assert code((3, 4)).codes_for("r0") == code((5, 6, 8, 9)).codes_for("r0")


def test_bypass_sends_vectors_as_they_are() -> None:
    coded = code(model="ideal", codec="bypass")
    assert coded.amplitudes == {}
    assert [amplitude_of(code) for code in coded.codes_for("r0")] == [1.0, 1.0]


def test_a_stream_of_silence_is_an_error() -> None:
    group = [sequence(0, 0, None, (1,))]
    comparison = compare(group, SharingConfig(), 2)
    plan = partition(group, comparison, tokens_per_frame=4)
    with pytest.raises(LocalProtocolError, match="power"):
        code_frames(
            plan.frames,
            comparison.vectors,
            {},
            0,
            ChannelConfig(),
            lambda v, _: np.zeros((len(v), 4), np.complex64),
        )


@pytest.mark.parametrize(("prefixes", "of_image", "of_text"), [(Prefixes(4), 2, 4), (Prefixes(8, 5), 4, 3)])
def test_of_a_token_the_first_eighths_are_sent_with_the_power_of_all(
    prefixes: Prefixes, of_image: int, of_text: int
) -> None:
    whole, half = code(), code(prefixes=prefixes)
    uses = {f.frame_id: f.uses_per_token for f in half.frames}
    assert uses == {f.frame_id: of_image if f.stream == "public" else of_text for f in half.frames}
    for long, short in zip(whole.frames, half.frames, strict=True):
        sent = samples.from_wire(short.payload, "cf32", 1.0, short.uses)
        body_NU = sent[PILOTS:].reshape(short.n_tokens, -1)
        stream = (short.stream, "" if short.stream == "public" else f"r{short.users[0]}")
        own_NU = samples.from_wire(long.payload, "cf32", 1.0, long.uses)[PILOTS:].reshape(long.n_tokens, -1)
        ratio = half.amplitudes[stream] / whole.amplitudes[stream]
        np.testing.assert_allclose(body_NU, ratio * own_NU[:, : body_NU.shape[1]], rtol=1e-4)
    public = [f for f in half.frames if f.stream == "public"]
    assert sum(f.energy for f in public) == pytest.approx(sum(f.uses for f in public), rel=1e-5)


@pytest.mark.parametrize("boost_db", [-6.0, 3.0, 12.0])
def test_public_symbols_may_have_more_power_and_the_group_has_what_it_had(boost_db: float) -> None:
    level, uses, energy = {}, 0, 0.0
    for stream in ("public", "private"):
        frames = [f for f in code(public_power_db=boost_db).frames if f.stream == stream]
        bodies = [samples.from_wire(f.payload, "cf32", 1.0, f.uses)[PILOTS:] for f in frames]
        own = np.concatenate(bodies).astype(complex)
        level[stream] = float(np.mean(np.abs(own) ** 2))
        uses, energy = uses + len(own), energy + float(np.sum(np.abs(own) ** 2))
    assert 10 * math.log10(level["public"] / level["private"]) == pytest.approx(boost_db, abs=1e-4)
    assert energy == pytest.approx(uses, rel=1e-5)


def test_one_stream_alone_has_unit_power_whatever_the_boost() -> None:
    group = [sequence(0, 0, 7, (1, 2))]
    comparison = compare(group, EXACT_ONLY, 2)
    plan = partition(group, comparison, tokens_per_frame=4)
    settings = ChannelConfig.model_validate({"model": "awgn", "public_power_db": 10.0})
    coded = code_frames(plan.frames, comparison.vectors, {}, 0, settings, encode)
    assert sum(f.energy for f in coded.frames) == pytest.approx(sum(f.uses for f in coded.frames), rel=1e-5)


def test_streams_share_the_groups_power_by_what_their_tokens_are_worth() -> None:
    """Image tokens, public, are worth a tenth of their mean, the words of both users 4."""
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, (3, 4))]
    comparison = compare(group, EXACT_ONLY, 2)
    plan = partition(group, comparison, tokens_per_frame=4)
    worth = {name: 0.1 if name[0] == "image" else 4.0 for name in comparison.vectors}
    settings = ChannelConfig.model_validate({"model": "awgn", "sample_format": "cf32"})
    coded = code_frames(plan.frames, comparison.vectors, worth, 0, settings, encode)
    energy, uses = sum(f.energy for f in coded.frames), sum(f.uses for f in coded.frames)
    assert energy == pytest.approx(uses, rel=1e-5)
    of_stream = {
        stream: sum(f.energy for f in coded.frames if f.stream == stream)
        / sum(f.uses for f in coded.frames if f.stream == stream)
        for stream in ("public", "private")
    }
    assert of_stream["private"] / of_stream["public"] == pytest.approx(40.0, rel=1e-4)


def test_digital_streams_have_unit_power_whatever_they_are_worth() -> None:
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, (3, 4))]
    comparison = compare(group, EXACT_ONLY, 2)
    plan = partition(group, comparison, tokens_per_frame=4)
    worth = {name: 0.1 if name[0] == "image" else 4.0 for name in comparison.vectors}
    settings = ChannelConfig.model_validate({"model": "awgn", "mode": "digital", "snr_db": 15})
    found = [code_frames(plan.frames, comparison.vectors, w, 0, settings, encode) for w in (worth, {})]
    assert found[0].amplitudes == found[1].amplitudes
