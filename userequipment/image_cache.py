"""The UE's semantic cache: images as they were received, by slot. Bounded: a slot holds one image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from shared.semantic.receiver import State
from shared.semantic_cache import Slot


@dataclass(frozen=True, slots=True)
class KeptImage:
    """Token vectors [N, D] after channel decoding, their states, and the SNR that they were received with."""

    version: int
    identity: str
    tokens_ND: torch.Tensor
    states: tuple[State, ...]
    snr_db: float


class ImageCache:
    """Empty at the start of a process."""

    def __init__(self) -> None:
        self._slots: dict[int, KeptImage] = {}

    def find(self, slot: Slot) -> KeptImage | None:
        """The image that is meant, or None: another one is there, or none."""
        kept = self._slots.get(slot.number)
        return kept if kept is not None and kept.version == slot.version else None

    def keep(
        self, slot: Slot, identity: str, tokens_ND: torch.Tensor, states: Sequence[State], snr_db: float
    ) -> None:
        """Put an image in a slot; what was there is gone."""
        self._slots[slot.number] = KeptImage(slot.version, identity, tokens_ND.clone(), tuple(states), snr_db)
