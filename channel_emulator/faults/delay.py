"""Messages that come later, all by the same or each by its own time."""

import math
from statistics import NormalDist

from channel_emulator.faults.fault import Fate, Fault, Passing
from shared.fault_config import MAX_DELAY_MS, DelayConfig

_NORMAL = NormalDist()
_LEAST, _MOST = 2.0**-53, 1.0 - 2.0**-53
_PARETO_SHAPE = 3.0


class Delay(Fault[DelayConfig]):
    """Correlated delays have the distribution of independent ones: AR(1) on the normal scale (a copula)."""

    def __init__(self, config: DelayConfig, seed: int) -> None:
        super().__init__(config, seed)
        self._before: dict[tuple[int, str], float] = {}

    def strike(self, passing: Passing) -> Fate:
        config = self._config
        if not config.jitter_ms:
            return Fate(delay_s=config.delay_ms / 1e3)
        normal = self._normal(passing)
        share = min(max(_NORMAL.cdf(normal), _LEAST), _MOST)
        match config.distribution:
            case "uniform":
                spread = 2.0 * share - 1.0
            case "normal":
                spread = normal
            case "pareto":
                spread = (1.0 - share) ** (-1.0 / _PARETO_SHAPE) - 1.0
        delay_ms = config.delay_ms + config.jitter_ms * spread
        return Fate(delay_s=min(max(delay_ms, 0.0), MAX_DELAY_MS) / 1e3)

    def _normal(self, passing: Passing) -> float:
        """A standard normal variable, correlated with that of the link's message before."""
        drawn = _NORMAL.inv_cdf(max(self.uniform(passing), _LEAST))
        before, rho = self._before.get(passing.link), self._config.correlation
        now = drawn if before is None else rho * before + math.sqrt(1.0 - rho**2) * drawn
        self._before[passing.link] = now
        return now
