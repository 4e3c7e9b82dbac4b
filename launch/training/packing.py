"""Training examples as packed sequences: many questions of one picture behind its shared prefix.

Shapes: B sequences, T tokens, Q questions, P predictions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.programs import QUERY_KINDS
from launch.datasets.clevr_style.questions import questions_for
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.vocabulary import ATTRIBUTES, VALUES
from launch.training.scenes import NOTHING, PATCHES, SIZES_OF, Patches, matches
from shared.semantic.masks import BOS, GENERATED, IMAGE, INSTRUCTION, PADDING, TEXT
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

KINDS = ("exist", "count", *QUERY_KINDS)
LABELS = {"pos": "positive", "neg": "negative"}


@dataclass(slots=True)
class Batch:
    """Token ids, segments, packed groups and positions [B, T]; predictions as (row, column, id, weight)."""

    ids_BT: Tensor
    segments_BT: Tensor
    groups_BT: Tensor
    positions_BT: Tensor
    has_image: bool
    rows_P: Tensor
    columns_P: Tensor
    targets_P: Tensor
    weights_P: Tensor
    ends_Q: Tensor
    """(row, column) of the last text token of each question."""
    parse_QA: Tensor
    """What each question names: attribute index + 1 or 0, and the question's kind."""
    matched_QN: Tensor
    """The patches of the objects that each question is about."""


@dataclass(slots=True)
class _Row:
    ids: list[int] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    predictions: list[tuple[int, int, float]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, ids: Sequence[int], segment: int, group: int, positions: range) -> None:
        self.ids += ids
        self.segments += [segment] * len(ids)
        self.groups += [group] * len(ids)
        self.positions += list(positions)


class Packer:
    """Writes examples in the prompt format of a bundle."""

    def __init__(self, prompts: Prompts, text_codec: TextCodec, bos_id: int, eos_id: int) -> None:
        self._prompts = prompts
        self._codec = text_codec
        self._bos, self._eos = bos_id, eos_id
        self._ids: dict[str, list[int]] = {}

    def _encode(self, text: str) -> list[int]:
        if text not in self._ids:
            if len(self._ids) > 500_000:
                self._ids.clear()
            self._ids[text] = self._codec.encode(text)
        return self._ids[text]

    def _begin(self, task: str, image: bool) -> _Row:
        row, layout = _Row(), self._prompts.layout(task)
        row.add([self._bos], BOS, 0, range(1))
        if image:
            row.add([0] * PATCHES, IMAGE, 0, layout.image)
        row.add(layout.instruction_ids, INSTRUCTION, 0, layout.instruction)
        return row

    def _answer(self, row: _Row, answer: str, group: int, start: int, whole: bool) -> None:
        """Predict the answer's first token from the prompt's end and, if `whole`, the rest and EOS."""
        ids = [*self._encode(answer), self._eos]
        row.predictions.append((len(row.ids) - 1, ids[0], 1.0))
        if whole:
            first = len(row.ids)
            row.add(ids[:-1], GENERATED, group, range(start, start + len(ids) - 1))
            row.predictions += [(first + i, token, 0.2) for i, token in enumerate(ids[1:])]

    def questions(
        self, scenes: Sequence[Scene], places: Sequence[Patches], rng: np.random.Generator, per_scene: int
    ) -> Batch:
        """`per_scene` zero-hop questions on each scene, packed."""
        rows, parses, matched = [], [], []
        for scene, where in zip(scenes, places, strict=True):
            row, layout = self._begin("vqa", True), self._prompts.layout("vqa")
            for number, question in enumerate(questions_for(scene, rng, ("zero_hop",), per_scene), 1):
                ids = self._encode(question.question)
                row.add(ids, TEXT, number, layout.text(len(ids)))
                row.ends.append(len(row.ids) - 1)
                self._answer(row, question.answer, number, layout.text(len(ids)).stop, number <= 2)
                named = {f.removeprefix("filter_"): v for f, v in question.program if v is not None}
                parse = [VALUES[a].index(named[a]) + 1 if a in named else 0 for a in ATTRIBUTES]
                parses.append([*parse, KINDS.index(question.kind)])
                hit = np.zeros(PATCHES, np.float32)
                hit[[where.objects[i] for i in matches(scene, question.program)]] = 1
                matched.append(hit)
            rows.append(row)
        return _batch(rows, True, parses, matched)

    def captions(self, scenes: Sequence[Scene]) -> Batch:
        rows = []
        for scene in scenes:
            row, layout = self._begin("caption", True), self._prompts.layout("caption")
            ids = [*self._encode(caption(scene)), self._eos]
            first = len(row.ids)
            row.add(ids[:-1], GENERATED, 1, range(layout.text(0).stop, layout.text(0).stop + len(ids) - 1))
            row.predictions += [(first - 1 + i, token, 1.0) for i, token in enumerate(ids)]
            rows.append(row)
        return _batch(rows, True)

    def reviews(self, texts: Sequence[Sequence[int]], labels: Sequence[str]) -> Batch:
        """Sentiment, predicted at the end and, with less weight, on the way."""
        rows = []
        for ids, label in zip(texts, labels, strict=True):
            row, layout = (
                self._begin("text_classification", False),
                self._prompts.layout("text_classification"),
            )
            first = len(row.ids)
            row.add(list(ids), TEXT, 1, layout.text(len(ids)))
            word = self._encode(LABELS[label])[0]
            row.predictions += [(first + i, word, 0.03) for i in range(12, len(ids) - 1)]
            self._answer(row, LABELS[label], 1, layout.text(len(ids)).stop, True)
            rows.append(row)
        return _batch(rows, False)


def _batch(
    rows: list[_Row],
    has_image: bool,
    parses: Sequence[Sequence[int]] = (),
    matched: Sequence[np.ndarray] = (),
) -> Batch:
    length = -(-max(len(row.ids) for row in rows) // 16) * 16

    def table(name: str, filler: int) -> Tensor:
        values = [getattr(row, name) for row in rows]
        return torch.tensor([v + [filler] * (length - len(v)) for v in values])

    flat = [(r, *prediction) for r, row in enumerate(rows) for prediction in row.predictions]
    ends = [(r, end) for r, row in enumerate(rows) for end in row.ends]
    return Batch(
        table("ids", 0),
        table("segments", PADDING),
        table("groups", 0),
        table("positions", 0),
        has_image,
        torch.tensor([p[0] for p in flat]),
        torch.tensor([p[1] for p in flat]),
        torch.tensor([p[2] for p in flat]),
        torch.tensor([p[3] for p in flat]),
        torch.tensor(ends, dtype=torch.long).reshape(-1, 2),
        torch.tensor(list(parses), dtype=torch.long).reshape(-1, len(SIZES_OF) + 1),
        torch.from_numpy(np.stack(matched)) if len(matched) else torch.zeros(0, PATCHES),
    )


__all__ = ["KINDS", "LABELS", "NOTHING", "Batch", "Packer"]
