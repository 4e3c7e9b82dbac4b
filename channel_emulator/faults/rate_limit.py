"""A link of limited rate: one server and a bounded queue, first come first served."""

from channel_emulator.faults.fault import Fate, Fault, Passing
from shared.fault_config import MAX_DELAY_MS, RateLimitConfig
from shared.wire.messages import SideInfo, SymbolFrame

_LOST = Fate(lost="rate_limit")
_OVERHEAD_BYTES = 64
"""Of every message, so that those without a payload take their time too."""


class RateLimit(Fault[RateLimitConfig]):
    """What it decides depends on when messages come."""

    def __init__(self, config: RateLimitConfig, seed: int) -> None:
        super().__init__(config, seed)
        self._free_s: dict[tuple[int, str], float] = {}

    def strike(self, passing: Passing) -> Fate:
        rate = 1e3 * self._config.kbytes_per_s
        begins_s = max(self._free_s.get(passing.link, 0.0), passing.now_s)
        waiting_s = begins_s - passing.now_s
        ends_s = begins_s + size_of(passing) / rate
        if waiting_s * rate > 1e3 * self._config.queue_kbytes or ends_s - passing.now_s > MAX_DELAY_MS / 1e3:
            return _LOST
        self._free_s[passing.link] = ends_s
        return Fate(delay_s=ends_s - passing.now_s)


def size_of(passing: Passing) -> int:
    """Bytes that the link has to carry."""
    message = passing.message
    payload = len(message.payload) if isinstance(message, SymbolFrame | SideInfo) else 0
    return _OVERHEAD_BYTES + payload
