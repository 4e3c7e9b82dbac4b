"""SNR conversions.

The convention of the whole testbed: a channel use is one complex symbol; unit average transmit power;
E|h|^2 = 1; SNR is average received Es/N0 per channel use in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

import math

NOISELESS_MODELS = ("ideal",)


def n0_from_snr_db(snr_db: float) -> float:
    """Noise power N0 per channel use (linear, dimensionless) for an average received Es/N0 in dB.

    N0 = 10^(-SNR/10), N0/2 per real dimension, for unit average transmit power and E|h|^2 = 1.
    +inf gives 0. Raises `ValueError` for NaN.
    """
    if math.isnan(snr_db):
        raise ValueError("snr_db: expected a number of dB, received NaN")
    return float(10.0 ** (-snr_db / 10.0))


def snr_db_from_n0(n0: float) -> float:
    """Average received Es/N0 in dB for a noise power N0 per channel use (N0/2 per real dimension).

    SNR = -10 log10 N0 for unit average transmit power and E|h|^2 = 1; N0 = 0 gives +inf.
    Raises `ValueError` for a negative N0 or NaN.
    """
    if not n0 >= 0.0:
        raise ValueError(f"n0: expected a power >= 0, received {n0}")
    return math.inf if n0 == 0.0 else -10.0 * math.log10(n0)


def n0_of(channel_model: str, snr_db: float) -> float:
    """Noise power N0 per channel use that `channel_model` adds at average Es/N0 `snr_db`: 0 for 'ideal'.

    N0 = 10^(-SNR/10), N0/2 per real dimension, for unit average transmit power and E|h|^2 = 1.
    """
    return 0.0 if channel_model in NOISELESS_MODELS else n0_from_snr_db(snr_db)
