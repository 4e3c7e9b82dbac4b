"""IQ samples as bytes: `cf32` (two float32), `cs16` (two int16), `cs8` (two int8), little-endian, I then Q.

Integer formats carry one scale per frame: sample s stands for s * full_scale / 32767 (cs16) or / 127 (cs8),
and full_scale is the frame's own peak max(|Re|, |Im|). Hence nothing ever clips, and the error per real
dimension is at most half a step, full_scale / 32767 / 2 or full_scale / 127 / 2, up to float32 rounding. For
Gaussian samples with a peak of four standard deviations, the signal-to-quantisation-noise ratio is 89 dB
(cs16) and 41 dB (cs8), far above the SNRs studied (N0 = 10^(-SNR/10), N0/2 per real dimension).
"""

import numpy as np
from numpy.typing import NDArray

from shared.wire.errors import LocalProtocolError, ProtocolError

BYTES_PER_SAMPLE = {"cf32": 8, "cs16": 4, "cs8": 2}
MAX_AMPLITUDE = 1e6
"""Bound on |Re| and |Im| of a sample: unit power plus any fading and noise lies far below."""

_INTEGERS: dict[str, tuple[str, int]] = {"cs16": ("<i2", 32_767), "cs8": ("i1", 127)}
_CHUNK = 16_384
"""Reals worked on at a time, so that they stay in a core's cache."""
_SILENCE = 1e-30  # a peak below this is sent as zeros: its reciprocal would overflow float32


def to_wire(x: NDArray[np.complex64], sample_format: str) -> tuple[bytes, float]:
    """Bytes and full_scale of complex samples `x` [n]; full_scale is 1 for cf32, and 0 for silence.

    Raises `LocalProtocolError` for an unknown format, NaN, infinity, or an amplitude above `MAX_AMPLITUDE`.
    """
    _check_format(sample_format)
    reals = np.ascontiguousarray(x, dtype=np.complex64).view(np.float32)
    peak = _peak(reals)
    if not peak <= MAX_AMPLITUDE:
        raise LocalProtocolError(
            f"samples: expected amplitudes of at most {MAX_AMPLITUDE:g}, received {peak}"
        )
    if sample_format == "cf32":
        return reals.astype("<f4", copy=False).tobytes(), 1.0
    dtype, top = _INTEGERS[sample_format]
    if peak < _SILENCE:
        return bytes(BYTES_PER_SAMPLE[sample_format] * x.size), 0.0
    scale, codes = np.float32(top / peak), np.empty(reals.size, dtype)
    scratch = np.empty(min(_CHUNK, reals.size), np.float32)
    for start in range(0, reals.size, _CHUNK):
        part = reals[start : start + _CHUNK]
        rounded = np.multiply(part, scale, out=scratch[: part.size])
        # The product of the peak and its rounded reciprocal may lie one rounding error above `top`, never
        # half.
        codes[start : start + _CHUNK] = np.rint(rounded, out=rounded)
    return codes.tobytes(), peak


def from_wire(
    payload: bytes | memoryview, sample_format: str, full_scale: float, n: int
) -> NDArray[np.complex64]:
    """Complex samples [n] of a payload; for cf32 a read-only view of it, nothing is copied.

    Raises `ProtocolError('bad_samples')` for an unknown format, a size other than n samples, a full_scale
    outside [0, `MAX_AMPLITUDE`], NaN, infinity or an amplitude above `MAX_AMPLITUDE`.
    """
    if sample_format not in BYTES_PER_SAMPLE:
        raise ProtocolError("bad_samples", "cf32, cs16 or cs8", str(sample_format)[:32])
    size = payload.nbytes if isinstance(payload, memoryview) else len(payload)
    if size != n * BYTES_PER_SAMPLE[sample_format]:
        raise ProtocolError("bad_samples", f"{n * BYTES_PER_SAMPLE[sample_format]} bytes", f"{size} bytes")
    if sample_format == "cf32":
        reals = np.frombuffer(payload, dtype="<f4").astype(np.float32, copy=False)
        if not _peak(reals) <= MAX_AMPLITUDE:
            raise ProtocolError("bad_samples", f"finite samples up to {MAX_AMPLITUDE:g}", "others")
        return reals.view(np.complex64)
    if not 0.0 <= full_scale <= MAX_AMPLITUDE:
        raise ProtocolError("bad_samples", f"a full_scale in [0, {MAX_AMPLITUDE:g}]", str(full_scale))
    dtype, top = _INTEGERS[sample_format]
    codes = np.frombuffer(payload, dtype=dtype).astype(np.float32)
    codes *= np.float32(full_scale / top)
    return codes.view(np.complex64)


def _check_format(sample_format: str) -> None:
    if sample_format not in BYTES_PER_SAMPLE:
        raise LocalProtocolError(f"samples: expected cf32, cs16 or cs8, received {sample_format!r}")


def _peak(reals: NDArray[np.float32]) -> float:
    """max |.|, NaN if any value is NaN, 0 of nothing."""
    return float(np.maximum(reals.max(), -reals.min())) if reals.size else 0.0
