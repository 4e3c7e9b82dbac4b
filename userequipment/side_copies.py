"""Maps that crossed the air coded: one that cannot be read is read together with its next copy.

Copies are of the same bits in the same scheme, so their log-likelihood ratios add up (Chase combining).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from shared.air import side_code
from shared.air.side_info import frame_of
from shared.wire.errors import ProtocolError
from shared.wire.messages import SideInfo
from userequipment.channel_decode import Air, TokenSymbols, equalise_frame

MAX_REQUESTS = 256
MAX_COPIES = 16


class SideReader:
    """Bounded: of the last `MAX_REQUESTS` unread maps at most `MAX_COPIES` each."""

    def __init__(self, check: Callable[[bytes | memoryview], object]) -> None:
        """`check` raises ValueError for bits that are no map of the scheme's."""
        self._check = check
        self._unread: OrderedDict[tuple[int, str], dict[int, TokenSymbols]] = OrderedDict()

    def open(self, side: SideInfo, air: Air) -> SideInfo | None:
        """The side information with its map as bits; None where it cannot be read, by its CRC.

        In the mode `genie` a map is error-free on the air, but not past every fault.
        """
        if air.channel.side_info == "ldpc":
            return self.read(side, air)
        try:
            self._check(side.payload)
        except ValueError:
            return None
        return side

    def read(self, side: SideInfo, air: Air) -> SideInfo | None:
        """The side information with its map as bits; None where all that came does not make it readable."""
        try:
            token = equalise_frame(frame_of(side), air)[0]
        except ProtocolError:
            return None
        name = side.group_id, side.request_id
        copies = {**self._unread.pop(name, {}), side.attempt: token}
        copies = {n: c for n, c in copies.items() if len(c.symbols_U) == len(token.symbols_U)}
        try:
            payload = side_code.decode(
                [(copy.symbols_U, copy.noise_variance_U) for copy in copies.values()], air.snr_db
            )
            self._check(payload)
        except ValueError:  # no code word has so many uses, or the CRC is wrong
            self._keep(name, copies)
            return None
        return replace(side, payload=payload)

    def _keep(self, name: tuple[int, str], copies: dict[int, TokenSymbols]) -> None:
        self._unread[name] = dict(list(copies.items())[-MAX_COPIES:])
        while len(self._unread) > MAX_REQUESTS:
            self._unread.popitem(last=False)
