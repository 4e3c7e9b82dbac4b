"""From a group of admitted requests to everything that will be transmitted: the stages in order.

encode -> compare, merge -> partition -> channel code. Runs as one job off the network loop; pure apart from
the clock it is given for stage timings.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from basestation.channel_code import CodedGroup, body_uses, code_frames
from basestation.compare import Comparison, TokenSequence, compare
from basestation.encode import AdmittedRequest, Foresee, encode_group
from basestation.merge import merge
from basestation.partition import Partition, partition
from shared import index_map
from shared.air.models import pilot_uses
from shared.air.side_info import on_air, outlasts_channel, side_uses
from shared.config import RunConfig
from shared.index_map import IndexMap
from shared.semantic.sender import SemanticSender
from shared.semantic_cache import KnownImage
from shared.token_digest import token_digest
from shared.token_layout import layout_text
from shared.token_runs import runs_of
from shared.wire.messages import SideInfo, SymbolFrame

__all__ = ["AdmittedRequest", "GroupPipeline", "GroupPlan"]

_UNREADABLE = 2**30
"""Channel uses; more than any group has."""


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """First transmissions of a group; `first_use` is 0 until the transmitter places them on its clock."""

    group_id: int
    frames: tuple[SymbolFrame, ...]
    side: dict[str, SideInfo]
    digests: dict[str, str]
    stage_ms: dict[str, float]
    public_tokens: int
    private_tokens: int
    merged_tokens: int
    repeats: Mapping[int, tuple[SymbolFrame, ...]] = field(default_factory=dict)
    """What further attempts at a frame send, by frame_id; none: the same again."""
    layouts: Mapping[str, str] = field(default_factory=dict)
    """What becomes of each request's image tokens (`shared.token_layout`), where a scheme has such."""
    may_add: bool = False
    """Whether its receivers can take apart frames that were added up to be sent again."""


def _identity(known: KnownImage | None) -> str:
    return "" if known is None else known.identity


class GroupPipeline:
    """The sender half of the M4SC scheme. `foresee`: for tokens that are chosen by the question."""

    def __init__(
        self,
        config: RunConfig,
        sender: SemanticSender,
        clock: Callable[[], float] = time.perf_counter,
        foresee: Foresee | None = None,
    ) -> None:
        self._config = config
        self._sender = sender
        self._clock = clock
        self._foresee = foresee
        self.fingerprint = sender.fingerprint

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        """Raises `BadInput` or ValueError when a request cannot be encoded."""
        config, sender = self._config, self._sender
        marks = [self._clock()]
        sequences = encode_group(requests, sender, config.limits, config.rate, self._foresee)
        marks.append(self._clock())
        comparison = compare(sequences, config.sharing, sender.split_layer)
        comparison = merge(
            sequences,
            comparison,
            config.sharing,
            lambda c, most: self._price(sequences, c, most),
            config.channel.snr_db_of,
        )
        marks.append(self._clock())
        plan = partition(sequences, comparison, config.channel.tokens_per_frame)
        marks.append(self._clock())
        coded = code_frames(
            plan.frames,
            comparison.vectors,
            comparison.worth,
            group_id,
            config.channel,
            lambda vectors_ND, stream: sender.channel_encode(
                torch.from_numpy(vectors_ND), "public" if stream == "public" else "private"
            ),
            config.rate.prefixes,
            config.retransmission.max_attempts,
        )
        side = {s.request_id: self._side_info(s, plan, coded, group_id) for s in sequences}
        marks.append(self._clock())
        stages = ("encode", "compare", "partition", "channel_code")
        return GroupPlan(
            group_id=group_id,
            frames=coded.frames,
            side=side,
            digests={
                s.request_id: token_digest(group_id, plan.positions[s.request_id], _identity(s.cached))
                for s in sequences
            },
            stage_ms={
                s: 1e3 * (end - start) for s, start, end in zip(stages, marks, marks[1:], strict=False)
            },
            public_tokens=plan.public_tokens,
            private_tokens=plan.private_tokens,
            merged_tokens=comparison.merged,
            repeats=coded.repeats,
            layouts={
                s.request_id: layout_text(
                    state for state, _ in plan.positions[s.request_id][: s.image_length]
                )
                for s in sequences
                if s.image_length
            },
            may_add=True,
        )

    def _price(
        self, sequences: Sequence[TokenSequence], comparison: Comparison, most: int | None = None
    ) -> int:
        """Channel uses of a group: symbols, pilots and index maps; far more where a map cannot be read.

        Where symbols and pilots alone are more than `most` no map is worked out.
        """
        config = self._config
        plan = partition(sequences, comparison, config.channel.tokens_per_frame)
        per_token, prefixes = self._sender.uses_per_token, config.rate.prefixes
        uses = pilot_uses(config.channel) * len(plan.frames) + sum(
            body_uses(f, config.channel, prefixes.uses(f.kind, per_token)) for f in plan.frames
        )
        if most is not None and uses > most:
            return uses
        maps = [
            side_uses(config.channel, config.channel.snr_db_of(s.user), self._map_of(s, plan, (0, 0))[1])
            for s in sequences
        ]
        unreadable = sum(outlasts_channel(config.channel, uses) for uses in maps)
        return uses + sum(maps) + unreadable * _UNREADABLE

    def _map_of(
        self, sequence: TokenSequence, plan: Partition, amplitudes: tuple[int, int]
    ) -> tuple[bytes, int]:
        """A request's index map and its length in bits."""
        return index_map.encode(
            IndexMap(
                task=sequence.task,
                has_image=sequence.image_ND is not None,
                question_at_ue=sequence.questions_of is not None,
                text_tokens=len(sequence.text_ids),
                amplitudes=amplitudes,
                runs=runs_of(plan.positions[sequence.request_id]),
                prefixes=self._config.rate.prefixes,
                cached=None if sequence.cached is None else sequence.cached.slot,
                keep=sequence.keep,
            )
        )

    def _side_info(
        self, sequence: TokenSequence, plan: Partition, coded: CodedGroup, group_id: int
    ) -> SideInfo:
        payload, n_bits = self._map_of(sequence, plan, coded.codes_for(sequence.request_id))
        channel = self._config.channel
        carried: dict[str, Any] = on_air(channel, channel.snr_db_of(sequence.user), payload, n_bits)
        return SideInfo(
            user=sequence.user,
            request_id=sequence.request_id,
            group_id=group_id,
            attempt=0,
            first_use=0,
            deadline_ms=self._config.deadline_ms,
            frames=tuple(
                (f.frame_id, int(f.stream == "private"), f.first_token, len(f.tokens))
                for f in plan.frames_for(sequence.request_id)
            ),
            questions_of=sequence.questions_of,
            **carried,
        )
