"""What phases 1 to 3 of published weights learn from: conversations about pictures, and reviews.

Every question of a conversation is a group of its own behind the shared picture, so it does not see the
questions before it. The vision tower's tokens are computed when a picture is drawn: next to the language
model's passes that is little, and for a large set they would not fit on a disk.

Shapes: B sequences, N patches, V vision width.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from basestation.image_door import BadInput, decode_image
from launch.datasets.errors import DatasetError
from launch.datasets.llava import Conversation
from launch.training.draws import fixed_air
from launch.training.images import part_of
from launch.training.language import Reviews
from launch.training.loop import Losses, Rngs
from launch.training.packing import Batch, Packer
from launch.training.tuning import ALIGN, JOINT, JUDGE_SNR_DB, Learner
from shared.config import LimitsConfig
from shared.semantic.siglip import VisionTower

DEV_ROWS: Final = 64
"""Sequences of each kind that a phase is judged by."""
QUESTIONS, CAPTIONS, TEXTS, REVIEWS = "vqa", "caption", "text", "review"
#: (every so many steps, from this one on, weight of the loss); questions about pictures come at every step.
TURNS: Final = {QUESTIONS: (1, 0, 1.0), CAPTIONS: (4, 1, 0.5), TEXTS: (4, 3, 0.5), REVIEWS: (3, 0, 0.5)}


def kind_of(chat: Conversation) -> str:
    """Conversations of one kind can be packed together."""
    return TEXTS if chat.image is None else chat.task


@dataclass(frozen=True, slots=True)
class Chats:
    """Conversations by kind, and reviews: of one part, to train on or kept for choosing."""

    by_kind: Mapping[str, Sequence[Conversation]]
    reviews: Reviews
    packer: Packer
    tower: VisionTower

    @classmethod
    def of_part(
        cls, part: str, chats: Sequence[Conversation], reviews: Reviews, packer: Packer, tower: VisionTower
    ) -> "Chats":
        """The conversations whose place in the file is for `part`."""
        by_kind: defaultdict[str, list[Conversation]] = defaultdict(list)
        for number, chat in enumerate(chats):
            if part_of(number) == part:
                by_kind[kind_of(chat)].append(chat)
        return cls(dict(by_kind), reviews, packer, tower)

    @property
    def kinds(self) -> list[str]:
        """Those that there are any of."""
        return [kind for kind in TURNS if (self.reviews if kind == REVIEWS else self.by_kind.get(kind))]

    def draw(self, kind: str, rngs: Rngs) -> tuple[Batch, Tensor | None]:
        """A sequence for each row, and what the vision tower sees of its picture, [B, N, V]."""
        if kind == REVIEWS:
            return self.packer.reviews([self.reviews.fill(rng, self.packer) for rng in rngs]), None
        pool = self.by_kind[kind]
        chosen = [pool[int(rng.integers(len(pool)))] for rng in rngs]
        return self.packer.conversations(chosen), None if kind == TEXTS else self._see(chosen)

    def asked(self, rngs: Rngs) -> tuple[Batch, Tensor]:
        """Questions about a picture for each row, and what is seen of it."""
        batch, seen = self.draw(QUESTIONS, rngs)
        assert seen is not None
        return batch, seen

    @torch.no_grad()
    def _see(self, chats: Sequence[Conversation]) -> Tensor:
        pixels = self.tower.preprocess([picture_of(chat) for chat in chats])
        return self.tower(pixels.to(next(self.tower.parameters()).dtype)).float()


def picture_of(chat: Conversation) -> np.ndarray:
    """uint8 [height, width, 3]. Raises `DatasetError`, one line that names the file."""
    assert chat.image is not None
    try:
        return decode_image(chat.image.read_bytes(), LimitsConfig())
    except (BadInput, OSError) as error:
        raise DatasetError(f"{chat.image}: cannot be used ({error})") from None


@dataclass(frozen=True, slots=True)
class ChatTasks:
    """A source for the phases: questions at every step, the other kinds by turns."""

    learner: Learner
    chats: Chats
    dev: Chats

    def losses(self, phase: str, step: int, progress: float, rngs: Rngs) -> Losses:
        for kind in due(self.chats.kinds, phase, step):
            weight = TURNS[kind][2]
            loss, figures = self.learner.loss(phase, *self.chats.draw(kind, rngs), rngs)
            yield kind, weight * loss, figures

    def judge(self, phase: str, rows: int) -> Mapping[str, float]:
        return judge_on_chats(self.learner, self.dev, JUDGE_SNR_DB if phase == JOINT else None, rows)


def due(kinds: Sequence[str], phase: str, step: int) -> Iterator[str]:
    """What is learned from in a step: alignment needs pictures; the first kind there is comes every time."""
    useful = [kind for kind in kinds if phase != ALIGN or kind in (QUESTIONS, CAPTIONS)]
    for kind in useful:
        every, first, _ = TURNS[kind]
        if kind == useful[0] or step % every == first:
            yield kind


@torch.no_grad()
def judge_on_chats(learner: Learner, chats: Chats, snr_db: float | None, rows: int) -> dict[str, float]:
    """The share of an answer's words that are right, those before given, by kind, and their `mean`.

    Through AWGN of one SNR, or (None) without a channel.
    """
    model, found = learner.model, dict[str, float]()
    for kind in chats.kinds:
        hits, words = 0, 0
        for start in range(0, DEV_ROWS, rows):
            rngs = [np.random.default_rng([1_000_003, start + row]) for row in range(rows)]
            batch, seen = chats.draw(kind, rngs)
            air = None if snr_db is None else fixed_air(batch, rngs, model.config.uses_per_token, snr_db)
            with torch.autocast("cpu", torch.bfloat16, enabled=learner.mixed):
                image = None if seen is None else model.projector(seen)
                nowhere = torch.zeros(rows, dtype=torch.bool)
                out = learner.stack.run(batch, image, nowhere, air, model.config.split_layer)
                _, right = learner.stack.answer_loss(batch, out)
            hits += int(right[batch.final_P].sum())
            words += int(batch.final_P.sum())
        found[kind] = hits / words
    return {**found, "mean": float(np.mean(list(found.values())))}
