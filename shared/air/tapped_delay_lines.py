"""Delay profiles of the field: 3GPP's TDL-A to TDL-E and the five taps of LAM-MSC.

The convention: a channel use is one complex symbol of unit average transmit power; E|h|^2 = 1; SNR is average
received Es/N0 in dB; N0 = 10^(-SNR/10), N0/2 per real dimension.
"""

from dataclasses import replace
from typing import Final

from shared.air.profile import DelayProfile, from_decibels

#: 3GPP TR 38.901 V16.1.0, tables 7.7.2-1 to 7.7.2-5: of each Rayleigh tap the delay over the RMS delay spread
#: and the power in dB; and the power of the line of sight that TDL-D and TDL-E have on their first tap.
Table = tuple[tuple[tuple[float, float], ...], float | None]
# fmt: off
TR_38_901: Final[dict[str, Table]] = {
    "tdl_a": (
        (
            (0.0, -13.4), (0.3819, 0.0), (0.4025, -2.2), (0.5868, -4.0), (0.461, -6.0),
            (0.5375, -8.2), (0.6708, -9.9), (0.575, -10.5), (0.7618, -7.5), (1.5375, -15.9),
            (1.8978, -6.6), (2.2242, -16.7), (2.1718, -12.4), (2.4942, -15.2), (2.5119, -10.8),
            (3.0582, -11.3), (4.081, -12.7), (4.4579, -16.2), (4.5695, -18.3), (4.7966, -18.9),
            (5.0066, -16.6), (5.3043, -19.9), (9.6586, -29.7),
        ),
        None,
    ),
    "tdl_b": (
        (
            (0.0, 0.0), (0.1072, -2.2), (0.2155, -4.0), (0.2095, -3.2), (0.287, -9.8),
            (0.2986, -1.2), (0.3752, -3.4), (0.5055, -5.2), (0.3681, -7.6), (0.3697, -3.0),
            (0.57, -8.9), (0.5283, -9.0), (1.1021, -4.8), (1.2756, -5.7), (1.5474, -7.5),
            (1.7842, -1.9), (2.0169, -7.6), (2.8294, -12.2), (3.0219, -9.8), (3.6187, -11.4),
            (4.1067, -14.9), (4.279, -9.2), (4.7834, -11.3),
        ),
        None,
    ),
    "tdl_c": (
        (
            (0.0, -4.4), (0.2099, -1.2), (0.2219, -3.5), (0.2329, -5.2), (0.2176, -2.5),
            (0.6366, 0.0), (0.6448, -2.2), (0.656, -3.9), (0.6584, -7.4), (0.7935, -7.1),
            (0.8213, -10.7), (0.9336, -11.1), (1.2285, -5.1), (1.3083, -6.8), (2.1704, -8.7),
            (2.7105, -13.2), (4.2589, -13.9), (4.6003, -13.9), (5.4902, -15.8), (5.6077, -17.1),
            (6.3065, -16.0), (6.6374, -15.7), (7.0427, -21.6), (8.6523, -22.8),
        ),
        None,
    ),
    "tdl_d": (
        (
            (0.0, -13.5), (0.035, -18.8), (0.612, -21.0), (1.363, -22.8), (1.405, -17.9),
            (1.804, -20.1), (2.596, -21.9), (1.775, -22.9), (4.042, -27.8), (7.937, -23.6),
            (9.424, -24.8), (9.708, -30.0), (12.525, -27.7),
        ),
        -0.2,
    ),
    "tdl_e": (
        (
            (0.0, -22.03), (0.5133, -15.8), (0.544, -18.1), (0.563, -19.8), (0.544, -22.9),
            (0.7112, -22.4), (1.9092, -18.6), (1.9293, -20.8), (1.9589, -22.6), (2.6426, -22.3),
            (3.7136, -25.6), (5.4524, -20.2), (12.0034, -29.8), (20.6519, -29.2),
        ),
        -0.03,
    ),
}
# fmt: on
CDL_RAYS: Final = 20
CDL_E_LAST_DELAY: Final = 20.6419
#: LAM-MSC (Jiang et al. 2024): five Rayleigh taps, delays in samples, powers in dB.
LAM_MSC_DELAYS: Final = (0, 3, 5, 6, 8)
LAM_MSC_POWERS_DB: Final = (0.0, -8.0, -17.0, -21.0, -25.0)


def tdl(name: str, delay_spread_s: float) -> DelayProfile:
    """A profile of TR 38.901, its delays scaled to an RMS delay spread (clause 7.7.3)."""
    taps, line_of_sight_db = TR_38_901[name]
    delays, powers_db = zip(*taps, strict=True)
    return from_decibels(tuple(delay_spread_s * d for d in delays), powers_db, line_of_sight_db)


def cdl(name: str, delay_spread_s: float) -> DelayProfile:
    """A clustered delay line (clause 7.7.1) between one isotropic, vertical antenna each, nothing moving.

    Of its angles nothing is left then: its clusters have the delays and powers of the tapped one's taps (but
    for the last delay of CDL-E), and 20 rays each.
    """
    taps = tdl(f"tdl_{name[-1]}", delay_spread_s)
    delays_s = taps.delays_s
    if name == "cdl_e":
        delays_s = (*delays_s[:-1], delay_spread_s * CDL_E_LAST_DELAY)
    return replace(taps, delays_s=delays_s, rays=CDL_RAYS)


def lam_msc(sample_s: float) -> DelayProfile:
    """The five taps at the sampling interval `sample_s`, scaled to E|h|² = 1."""
    return from_decibels(tuple(sample_s * d for d in LAM_MSC_DELAYS), LAM_MSC_POWERS_DB)
