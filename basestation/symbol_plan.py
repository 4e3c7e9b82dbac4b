"""The sender half of schemes that send analog symbols in parts: an image's, a text's.

Shapes: N tokens of a part, U channel uses (complex symbols) a token.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from basestation.part_plan import PartPipeline, Parts, PartsOf, Place
from shared.air import symbol_frames
from shared.config import RunConfig
from shared.token_digest import token_digest
from shared.token_runs import TokenState
from shared.wire.messages import SymbolFrame


@dataclass(frozen=True, slots=True)
class Symbols:
    """A part, of any power. Parts are the same by what they were made of (`key`), never by their floats."""

    key: Hashable
    symbols_NU: np.ndarray = field(compare=False, repr=False)

    def __len__(self) -> int:
        """Channel uses."""
        return self.symbols_NU.size


class SymbolPipeline(PartPipeline[Symbols]):
    """`parts_of` is the scheme."""

    def __init__(self, config: RunConfig, fingerprint: str, parts_of: PartsOf[Symbols]) -> None:
        super().__init__(config, fingerprint, parts_of, _Analog(config))


class _Analog:
    may_add = True

    def __init__(self, config: RunConfig) -> None:
        self._channel = config.channel

    def frames(
        self,
        part: Symbols,
        stream: str,
        users: tuple[int, ...],
        group_id: int,
        first_frame: int,
        first_token: int,
    ) -> list[list[SymbolFrame]]:
        """Analog frames repeat themselves."""
        found = symbol_frames.frames_of(
            part.symbols_NU,
            self._channel,
            stream=stream,
            users=users,
            group_id=group_id,
            first_frame=first_frame,
            first_token=first_token,
        )
        return [[frame] for frame in found]

    def digest(self, group_id: int, parts: Parts[Symbols], places: Sequence[Place]) -> str:
        """Of the place of every token in its stream."""
        return token_digest(
            group_id,
            (
                (TokenState.PRIVATE if private else TokenState.PUBLIC, first + token)
                for _, private, first, tokens in places
                for token in range(tokens)
            ),
        )
