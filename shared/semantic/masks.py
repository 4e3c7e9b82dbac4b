"""Who may attend to whom, below and from the split layer k; one rule for training, sender and receiver.

The prompt is [BOS][image][instruction][text], then the generated answer. Below k

    BOS, image     see BOS and image          (so the image's tokens do not depend on who asks what)
    instruction    sees BOS and instruction   (so the receiver computes it by itself)
    text           sees all of the prompt before it; asked at the UE, not the image
    generated      sees BOS, instruction and generated; asked at the UE, the text too

and from k on everything sees everything before it. Unselected tokens are not sent, so they are seen by none
from k on. Several questions may be packed behind one shared prefix: then a question sees the prefix and
itself only.

Shapes: B sequences, Q queries, K keys.
"""

from typing import Literal

import torch
from torch import Tensor

BOS, IMAGE, INSTRUCTION, TEXT, GENERATED, PADDING = range(6)
QuestionAt = Literal["bs", "ue"]


def _table(pairs: dict[int, tuple[int, ...]]) -> Tensor:
    table = torch.zeros(6, 6, dtype=torch.bool)
    for query, keys in pairs.items():
        table[query, list(keys)] = True
    return table


def visible_below(question_at: QuestionAt) -> Tensor:
    """[segment of query, segment of key]: may it be seen below the split?"""
    text: tuple[int, ...] = (BOS, IMAGE, INSTRUCTION, TEXT)
    generated: tuple[int, ...] = (BOS, INSTRUCTION, GENERATED)
    if question_at == "ue":
        text, generated = (BOS, INSTRUCTION, TEXT), (BOS, INSTRUCTION, TEXT, GENERATED)
    return _table(
        {
            BOS: (BOS,),
            IMAGE: (BOS, IMAGE),
            INSTRUCTION: (BOS, INSTRUCTION),
            TEXT: text,
            GENERATED: generated,
        }
    )


def attention_masks(
    segments_BK: Tensor, at_ue_B: Tensor, groups_BK: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Boolean masks [B, 1, K, K] for layers below and from the split; True: may be seen.

    `segments_BK` holds segment codes; `at_ue_B` says where the question is asked; `groups_BK` numbers packed
    questions from 1, with 0 for the shared prefix. A token always sees itself, so no row is empty.
    """
    length = segments_BK.shape[1]
    place = torch.arange(length)
    seen = (place[:, None] >= place[None, :]) & (segments_BK != PADDING)[:, None, :]
    if groups_BK is not None:
        seen = seen & ((groups_BK[:, None, :] == 0) | (groups_BK[:, None, :] == groups_BK[:, :, None]))
    tables = torch.stack([visible_below("bs"), visible_below("ue")])
    below = tables[at_ue_B.long()[:, None, None], segments_BK[:, :, None], segments_BK[:, None, :]]
    itself = torch.eye(length, dtype=torch.bool)
    return ((seen & below) | itself)[:, None], (seen | itself)[:, None]


def without(mask_B1KK: Tensor, unselected_BK: Tensor) -> Tensor:
    """The mask where tokens that were not selected are seen by none but themselves."""
    itself = torch.eye(mask_B1KK.shape[-1], dtype=torch.bool)
    return (mask_B1KK & ~unselected_BK[:, None, None, :]) | itself
