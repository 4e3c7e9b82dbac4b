"""The sender half of schemes that send bytes: parts of bytes, in blocks through LDPC and QAM.

A broadcast is at the modulation and rate of its weakest receiver.
"""

from collections.abc import Sequence

from basestation.channel_code import mcs_for
from basestation.part_plan import PartPipeline, Parts, PartsOf, Place
from shared.air import byte_blocks
from shared.config import RunConfig
from shared.token_digest import bytes_digest
from shared.wire.messages import SymbolFrame

__all__ = ["BytePipeline", "Parts"]


class BytePipeline(PartPipeline[bytes]):
    """`parts_of` is the scheme."""

    def __init__(self, config: RunConfig, fingerprint: str, parts_of: PartsOf[bytes]) -> None:
        super().__init__(config, fingerprint, parts_of, _Blocks(config))


class _Blocks:
    may_add = False

    def __init__(self, config: RunConfig) -> None:
        self._config = config

    def frames(
        self,
        part: bytes,
        stream: str,
        users: tuple[int, ...],
        group_id: int,
        first_frame: int,
        first_token: int,
    ) -> list[list[SymbolFrame]]:
        """A block is a frame, and a byte a token; every attempt has its own redundancy version."""
        return byte_blocks.frames_of(
            part,
            self._config.channel,
            mcs_for(users, self._config.channel),
            self._config.retransmission.max_attempts,
            stream=stream,
            users=users,
            group_id=group_id,
            first_frame=first_frame,
            first_byte=first_token,
        )

    def digest(self, group_id: int, parts: Parts[bytes], places: Sequence[Place]) -> str:
        return bytes_digest(group_id, parts.content, parts.text)
