"""The air of a run: what a configuration may say of it."""

from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.air.own_channel import MODELS, check_profile, own_channel
from shared.air.snr_trace import Step, read_snr_trace
from shared.config_section import Section
from shared.fault_config import AirAim, FaultConfig


class InterferenceConfig(Section):
    """A transmitter elsewhere: bursts of Gaussian symbols, of which receivers are told nothing."""

    sir_db: float = Field(ge=-50.0, le=100.0)
    """Average received signal power over its power while it is on."""
    duty: float = Field(1.0, gt=0.0, le=1.0)
    """The share of bursts during which it is on, drawn by seed."""
    burst_uses: int = Field(512, ge=16, le=65_536)
    """Length of a burst on the downlink's clock."""
    users: tuple[int, ...] | None = None
    """Who hears it; none: everybody."""


class ChannelConfig(Section):
    """The air. SNR is average received Es/N0 per channel use; E|h|^2 = 1; unit average transmit power."""

    model: str = Field("awgn", max_length=256, json_schema_extra={"enum": [*MODELS, "a module"]})
    """The model of the gains (air.md); those of several taps are seen through an OFDM grid. A module of one's
    own has a CHANNEL (extending.md)."""
    k_factor_db: float = Field(6.0, ge=-30.0, le=40.0)
    """Of 'rician': power of the line of sight over that of the scatter."""
    delay_spread_ns: float = Field(100.0, ge=0.0, le=10_000.0)
    """Of the 3GPP profiles, RMS."""
    subcarriers: int = Field(256, ge=1, le=4_096)
    """Of the OFDM grid."""
    subcarrier_spacing_khz: float = Field(30.0, gt=0.0, le=960.0)
    """Of the OFDM grid."""
    snr_db: float | tuple[float, ...] = 10.0
    """Average received Es/N0, in [-50, 100] dB; a list has a number for each user."""
    snr_trace: tuple[Step, ...] = ()
    """SNR over time, given as the path of a CSV file (`air.snr_trace`); `snr_db` is what is known before."""
    coherence: Literal["request", "uses"] = "request"
    """One draw of the gains for each request of a user, or for every `coherence_uses`."""
    coherence_uses: int = Field(4_096, ge=1)
    """Length of a coherence block on the downlink's clock, with `coherence` 'uses'."""
    csi: Literal["pilots", "genie"] = "pilots"
    """Whether a UE estimates the gains from pilots, which are charged, or is told them without error."""
    estimator: Literal["ls", "lmmse"] = "ls"
    """How gains are estimated from pilots."""
    pilot_uses: int = Field(16, ge=1, le=4_096)
    """Pilots at the head of every frame, where there is fading and `csi` is 'pilots'."""
    public_power_db: float = Field(0.0, ge=-20.0, le=20.0)
    """Power of a group's public symbols over that of its private ones; the group's average stays one."""
    sample_format: Literal["cf32", "cs16", "cs8"] = "cs16"
    """How a channel use goes over the links: two floats of 32 bits, or two integers of 16 or of 8."""
    side_info: Literal["genie", "ldpc"] = "genie"
    """Whether index maps cross error-free, charged as QPSK at rate 1/2, or coded (`air.side_code`)."""
    mode: Literal["analog", "digital"] = "analog"
    """Whether tokens are sent as symbols, or as bits through 5G LDPC and QAM (`air.transport`)."""
    quantiser_bits: int = Field(3, ge=1, le=5)
    """Of 'digital': for each real value of a token's symbols."""
    codec: Literal["linear", "bypass"] = "linear"
    """The bundle's channel codec; 'bypass' sends whole vectors, for comparisons over an ideal channel."""
    tokens_per_frame: int = Field(16, ge=1, le=4_096)
    """What is lost, asked for and sent again together."""
    interference: tuple[InterferenceConfig, ...] = ()
    """Transmitters elsewhere."""
    faults: tuple[FaultConfig, ...] = ()
    """Faults on messages and on the air, one after the other (scenarios.md)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.model not in MODELS:
            check_profile(self.model, own_channel(self.model).profile(self))
        if self.codec == "bypass" and (self.model != "ideal" or self.sample_format != "cf32"):
            raise ValueError("channel.codec 'bypass' needs channel.model 'ideal' and sample_format 'cf32'")
        if self.interference and self.model == "ideal":
            raise ValueError("channel.interference: an ideal channel has none")
        for number, fault in enumerate(self.faults):
            if isinstance(fault, AirAim) and (why := fault.refusal(self.model, self.side_info)):
                raise ValueError(f"channel.faults.{number}: {fault.fault}: {why}")
        if self.mode == "digital" and (self.codec == "bypass" or self.public_power_db):
            raise ValueError("channel.mode 'digital' needs channel.codec 'linear' and public_power_db 0")
        values = self.snr_db if isinstance(self.snr_db, tuple) else (self.snr_db,)
        if not all(-50.0 <= v <= 100.0 for v in values):
            raise ValueError("channel.snr_db must lie in [-50, 100] dB")
        return self

    @field_validator("snr_trace", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_snr_trace(Path(value)) if isinstance(value, str) else value

    def snr_db_of(self, user: int) -> float:
        """Average SNR of one user in dB; a list gives one value per user."""
        return self.snr_db[user] if isinstance(self.snr_db, tuple) else self.snr_db

    def snr_db_at(self, user: int, first_use: int) -> float:
        """SNR of one user in dB for what is sent at a channel use of the downlink's clock."""
        if not self.snr_trace:
            return self.snr_db_of(user)
        starts, values = self._steps_of[user]
        return values[bisect_right(starts, first_use) - 1]

    @cached_property
    def _steps_of(self) -> dict[int, tuple[list[int], list[float]]]:
        """Of each user: where steps begin, and their SNRs."""
        found: dict[int, tuple[list[int], list[float]]] = {}
        for first_use, user, snr_db in self.snr_trace:
            starts, values = found.setdefault(user, ([], []))
            starts.append(first_use)
            values.append(snr_db)
        return found
