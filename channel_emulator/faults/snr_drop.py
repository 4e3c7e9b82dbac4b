"""A noise floor that rises: the average SNR falls."""

from dataclasses import dataclass

from channel_emulator.faults.fault import AirFault, Fate, Passing
from channel_emulator.physics.air_change import AirChange
from shared.fault_config import SnrDropConfig


class SnrDrop(AirFault[SnrDropConfig]):
    """N0 times 10^(drop / 10); a ramp depends on when messages come.

    The gains stay, so pilots show nothing: receivers go on with the average SNR that they were told. That
    sets it apart from `deep_fade`, which the channel estimate sees.
    """

    def strike(self, passing: Passing) -> Fate:
        return Fate(air=(Noisier(10.0 ** (self._drop_db(passing) / 10.0)),))

    def _drop_db(self, passing: Passing) -> float:
        config = self._config
        if not config.ramp or config.for_s is None:
            return config.drop_db
        share = (passing.elapsed_s - config.at_s) / config.for_s
        return config.drop_db * min(max(share, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Noisier(AirChange):
    """N0, the noise power per channel use (N0/2 per real dimension), is `times` as high."""

    times: float

    def noise(self, n0: float) -> float:
        return n0 * self.times
