"""The downlink's clock, in channel uses: who transmits when, so that fading belongs to the air.

One channel use is one complex symbol. The base station transmits one thing after the other; a public frame
takes its uses once, however many users receive it.
"""


class DownlinkClock:
    """Hands out stretches of the downlink in order of transmission."""

    def __init__(self, first_use: int = 0) -> None:
        self._next_use = first_use

    @property
    def next_use(self) -> int:
        return self._next_use

    def take(self, uses: int) -> int:
        """Reserve `uses` channel uses; returns the first one."""
        first_use = self._next_use
        self._next_use += uses
        return first_use
