"""Samples as bytes: round trips, quantisation noise against theory, hostile payloads."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.air.samples import BYTES_PER_SAMPLE, MAX_AMPLITUDE, from_wire, to_wire
from shared.rng import generator
from shared.wire.errors import LocalProtocolError, ProtocolError
from shared.wire.messages import SAMPLE_FORMATS

TOP = {"cs16": 32_767, "cs8": 127}
ANY_SAMPLES = hnp.arrays(
    np.complex64,
    st.integers(0, 50),
    elements=st.complex_numbers(max_magnitude=1e5, allow_nan=False, allow_infinity=False, width=64),
)


def test_formats_are_those_of_the_wire() -> None:
    assert tuple(BYTES_PER_SAMPLE) == SAMPLE_FORMATS


@given(ANY_SAMPLES)
def test_cf32_is_exact(x: np.ndarray) -> None:
    payload, full_scale = to_wire(x, "cf32")
    assert full_scale == 1.0
    np.testing.assert_array_equal(from_wire(payload, "cf32", full_scale, x.size), x)


@pytest.mark.parametrize("sample_format", ["cs16", "cs8"])
@given(x=ANY_SAMPLES)
def test_integer_formats_never_clip_and_err_by_half_a_step(sample_format: str, x: np.ndarray) -> None:
    payload, full_scale = to_wire(x, sample_format)
    assert len(payload) == x.size * BYTES_PER_SAMPLE[sample_format]
    y = from_wire(payload, sample_format, full_scale, x.size)
    error = (y - x).view(np.float32)
    # Half a step, and the rounding of float32 products as large as 32767 steps.
    assert np.abs(error).max(initial=0.0) <= full_scale * (0.5 / TOP[sample_format] + 3e-7) + 1e-30
    # The peak itself is a code word: sent again, nothing changes any more.
    again, scale_again = to_wire(y, sample_format)
    assert again == payload
    assert scale_again == pytest.approx(full_scale, rel=1e-6)


@pytest.mark.parametrize("sample_format", ["cs16", "cs8"])
def test_quantisation_noise_is_a_twelfth_of_a_squared_step(sample_format: str) -> None:
    # Uniform quantiser (Bennett 1948): step²/12 per real dimension. 2^18 reals: 5 sigma of the mean of
    # the squared error, whose relative spread is sqrt(4/5), is 0.9%.
    rng = generator(1, "quantiser")
    x = rng.standard_normal(2**18, dtype=np.float32).view(np.complex64)
    payload, full_scale = to_wire(x, sample_format)
    error = (from_wire(payload, sample_format, full_scale, x.size) - x).view(np.float32).astype(float)
    step = full_scale / TOP[sample_format]
    tolerance = 5 * math.sqrt(0.8 / error.size)
    if sample_format == "cs16":
        tolerance += 0.02  # float32 rounding of the samples themselves is part of an error this small
    assert np.mean(error**2) == pytest.approx(step**2 / 12, rel=tolerance)
    snr_db = 10 * math.log10(float(np.mean(x.view(np.float32).astype(float) ** 2) / np.mean(error**2)))
    assert snr_db == pytest.approx(10 * math.log10(12 / step**2), abs=0.1)


def test_layout_is_little_endian_i_then_q() -> None:
    payload, full_scale = to_wire(np.array([1.0 - 0.5j], np.complex64), "cs16")
    assert full_scale == 1.0
    assert payload == (32_767).to_bytes(2, "little") + (-16_384).to_bytes(2, "little", signed=True)
    assert to_wire(np.array([-1.0 + 0.0j], np.complex64), "cs8")[0] == bytes([0x81, 0x00])


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
def test_silence_stays_silence(sample_format: str) -> None:
    payload, full_scale = to_wire(np.zeros(5, np.complex64), sample_format)
    assert not from_wire(payload, sample_format, full_scale, 5).any()


@pytest.mark.parametrize("sample_format", SAMPLE_FORMATS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2 * MAX_AMPLITUDE])
def test_what_cannot_be_sent_is_refused_here(sample_format: str, value: float) -> None:
    with pytest.raises(LocalProtocolError, match="amplitudes"):
        to_wire(np.array([1.0, complex(0.0, value)], np.complex64), sample_format)


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="cf32, cs16 or cs8"):
        to_wire(np.ones(1, np.complex64), "cs4")
    with pytest.raises(ProtocolError, match="bad_samples"):
        from_wire(b"\0", "cs4", 1.0, 1)


@given(
    st.binary(max_size=64),
    st.sampled_from(SAMPLE_FORMATS),
    st.floats(),
    st.integers(0, 20),
)
def test_foreign_bytes_give_finite_samples_or_a_protocol_error(
    payload: bytes, sample_format: str, full_scale: float, n: int
) -> None:
    # Any other exception fails the test: that is its point.
    with contextlib.suppress(ProtocolError):
        x = from_wire(payload, sample_format, full_scale, n)
        assert x.shape == (n,)
        assert np.isfinite(x).all()


@pytest.mark.parametrize("size", [0, 7, 9, 16])
def test_wrong_sizes_are_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match="expected 8 bytes"):
        from_wire(bytes(size), "cf32", 1.0, 1)


def test_a_memory_view_is_as_good_as_bytes() -> None:
    x = np.array([1 + 2j, 3 - 4j], np.complex64)
    payload, full_scale = to_wire(x, "cf32")
    np.testing.assert_array_equal(from_wire(memoryview(payload), "cf32", full_scale, 2), x)


@pytest.mark.parametrize("sample_format", ["cf32", "cs16", "cs8"])
def test_chunks_cannot_be_seen(sample_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.exp(1j * np.arange(50)).astype(np.complex64) * np.arange(50, dtype=np.float32)
    whole = to_wire(x, sample_format)
    monkeypatch.setattr("shared.air.samples._CHUNK", 16)
    assert to_wire(x, sample_format) == whole
