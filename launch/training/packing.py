"""Training examples as packed sequences: many questions of one picture behind its shared prefix.

Shapes: B sequences, T tokens, P predictions, H hinted predictions, N patches, K numbers of a constraint.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from launch.datasets.clevr_style.programs import attributes_of, evaluate
from launch.datasets.clevr_style.questions import FAMILIES, Family, Question, questions_for
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.wording import with_article
from launch.datasets.imdb import ANSWERS
from launch.datasets.llava import Conversation
from launch.training.scenes import PATCHES, Patches
from launch.training.traces import FREE, Constraint, Word, trace
from shared.semantic.masks import BOS, GENERATED, IMAGE, INSTRUCTION, PADDING, TEXT
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from shared.semantic.trace import ANSWER, pointer

#: Of the questions, this share is answered at once, without a trace.
DIRECT = 0.2
EOS_WEIGHT = 0.2
#: What a caption of ten objects takes, in tokens, rounded up: shorter sequences cost less.
CAPTION_TOKENS = 80
#: Of a review, the label is predicted after every so many tokens too, with this weight.
EVERY, ON_THE_WAY = 8, 0.15


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
    examples_P: Tensor
    """Which question, caption or review a prediction belongs to, in the order they were packed."""
    final_P: Tensor
    """Whether it is the answer itself (of a caption: any word)."""
    families: list[str]
    """Of each example; `direct` after the family's name where the answer comes without a trace."""
    hints_H2: Tensor
    """(row, column) of the predictions that are about objects."""
    focus_HN: Tensor
    """The patches of those objects; none: at the end of a set."""
    constraints_HK: Tensor
    """What the set that is being listed has in common (`traces.Constraint`)."""


@dataclass(slots=True)
class _Row:
    ids: list[int] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    predictions: list[tuple[int, int, float, int, bool]] = field(default_factory=list)
    hints: list[tuple[int, tuple[int, ...], Constraint]] = field(default_factory=list)

    def add(self, ids: Sequence[int], segment: int, group: int, positions: range) -> None:
        self.ids += ids
        self.segments += [segment] * len(ids)
        self.groups += [group] * len(ids)
        self.positions += list(positions)


def shorten(ids: list[int], most: int) -> list[int]:
    """The beginning and the end of a long text, as at run time."""
    return ids if len(ids) <= most else [*ids[: most // 2], *ids[len(ids) - (most - most // 2) :]]


class Packer:
    """Writes examples in the prompt format of a bundle, `length` tokens a sequence."""

    def __init__(
        self, prompts: Prompts, text_codec: TextCodec, bos_id: int, eos_id: int, length: int
    ) -> None:
        self._prompts = prompts
        self._codec = text_codec
        self._bos, self._eos = bos_id, eos_id
        self._length = length
        self._ids: dict[str, list[int]] = {}

    def questions(
        self,
        scenes: Sequence[Scene],
        places: Sequence[Patches],
        rngs: Sequence[np.random.Generator],
        families: Sequence[Family] = FAMILIES,
        per_scene: int = 14,
    ) -> Batch:
        """Up to `per_scene` questions on each scene, as many as there is room for."""
        rows, names = [], list[str]()
        for scene, where, rng in zip(scenes, places, rngs, strict=True):
            row = self._begin("vqa", True)
            for number, question in enumerate(questions_for(scene, rng, families, per_scene), 1):
                direct = bool(rng.random() < DIRECT)
                if not self._question(row, number, len(names), question, scene, where, direct):
                    break
                names.append(f"{question.family} direct" if direct else question.family)
            rows.append(row)
        return self._batch(rows, True, names, self._length)

    def captions(self, scenes: Sequence[Scene], places: Sequence[Patches]) -> Batch:
        """Each object with the patch that it stands in, in raster order."""
        rows = []
        for number, (scene, where) in enumerate(zip(scenes, places, strict=True)):
            row, layout = self._begin("caption", True), self._prompts.layout("caption")
            words = self._caption(scene, where)
            self._generated(row, 1, number, layout.text(0).stop, words, where, final=True)
            rows.append(row)
        short = 1 + PATCHES + len(self._prompts.layout("caption").instruction_ids) + CAPTION_TOKENS
        fits = short < self._length and all(len(row.ids) <= short for row in rows)
        return self._batch(rows, True, ["caption"] * len(rows), short if fits else self._length)

    def reviews(self, rows: Sequence[Sequence[tuple[Sequence[int], str]]]) -> Batch:
        """Sentiment of (token ids, answer), predicted at the end and, with less weight, on the way."""
        packed, names = [], list[str]()
        layout = self._prompts.layout("text_classification")
        for texts in rows:
            row = self._begin("text_classification", False)
            for group, (ids, answer) in enumerate(texts, 1):
                first = len(row.ids)
                row.add(list(ids), TEXT, group, layout.text(len(ids)))
                word = self._encode(answer)[0]
                row.predictions += [
                    (first + i, word, ON_THE_WAY, len(names), False) for i in range(12, len(ids) - 1, EVERY)
                ]
                words = [Word(answer, None, FREE)]
                self._generated(row, group, len(names), layout.text(len(ids)).stop, words, None, final=True)
                names.append("review")
            packed.append(row)
        return self._batch(packed, False, names, self._length)

    def conversations(self, chats: Sequence[Conversation]) -> Batch:
        """Every question with its answer as a group of its own behind the picture that they share.

        All of one task, all with a picture or all without. Questions that there is no room for are left out;
        of a first one that is too long, beginning and end are kept, of its answer the beginning.
        """
        task, has_image = chats[0].task, chats[0].image is not None
        rows, layout = [], self._prompts.layout(task)
        for example, chat in enumerate(chats):
            row = self._begin(task, has_image)
            for group, turn in enumerate(chat.turns, 1):
                question = self._codec.encode(turn.question) if turn.question else []
                answer, room = self._codec.encode(turn.answer), self._length - len(row.ids)
                whole = len(question) <= self._prompts.text_limit and len(question) + len(answer) <= room
                if not whole and group > 1:
                    continue
                if not whole:
                    most = min(self._prompts.text_limit, max(room // 2, room - len(answer)))
                    question = shorten(question, most)
                    answer = answer[: room - len(question)]
                row.add(question, TEXT, group, layout.text(len(question)))
                column = len(row.ids) - 1
                row.predictions += [(column + i, word, 1.0, example, True) for i, word in enumerate(answer)]
                if whole:
                    row.predictions.append((column + len(answer), self._eos, EOS_WEIGHT, example, False))
                start = layout.text(len(question)).stop
                row.add(answer, GENERATED, group, range(start, start + len(answer)))
            rows.append(row)
        return self._batch(rows, has_image, [task] * len(rows), self._length)

    @property
    def room(self) -> int:
        """The longest review that fits into a sequence, in tokens."""
        instruction = self._prompts.layout("text_classification").instruction_ids
        return self._length - 1 - len(instruction) - self.label_tokens

    @property
    def label_tokens(self) -> int:
        """What a review's answer takes, in tokens."""
        return max(len(self._encode(word)) for word in ANSWERS.values())

    def _encode(self, text: str) -> list[int]:
        """Of the few words that answers, traces and captions are made of; each is encoded once."""
        if text not in self._ids:
            self._ids[text] = self._codec.encode(text)
        return self._ids[text]

    def _begin(self, task: str, image: bool) -> _Row:
        row, layout = _Row(), self._prompts.layout(task)
        row.add([self._bos], BOS, 0, range(1))
        if image:
            row.add([0] * len(layout.image), IMAGE, 0, layout.image)
        row.add(layout.instruction_ids, INSTRUCTION, 0, layout.instruction)
        return row

    def _question(
        self,
        row: _Row,
        group: int,
        example: int,
        question: Question,
        scene: Scene,
        where: Patches,
        direct: bool,
    ) -> bool:
        """Whether there was room for it."""
        ids = self._codec.encode(question.question)
        words = trace(
            question.program, evaluate(question.program, scene), where.objects, question.answer, direct
        )
        if len(row.ids) + len(ids) + len(words) + 2 > self._length:
            return False
        layout = self._prompts.layout("vqa")
        row.add(ids, TEXT, group, layout.text(len(ids)))
        self._generated(row, group, example, layout.text(len(ids)).stop, words, where)
        return True

    def _caption(self, scene: Scene, where: Patches) -> list[Word]:
        words: list[Word] = []
        for index in sorted(range(len(where.objects)), key=lambda i: where.objects[i]):
            item = scene["objects"][index]
            phrase = with_article(" ".join(attributes_of(item))).split()
            words.append(Word(pointer(where.objects[index]), (index,), FREE))
            words += [Word(word, (index,), FREE) for word in phrase]
            words.append(Word(",", (), FREE))
        return [*words[:-1], Word(".", (), FREE)]

    def _generated(
        self,
        row: _Row,
        group: int,
        example: int,
        start: int,
        words: Sequence[Word],
        where: Patches | None,
        final: bool = False,
    ) -> None:
        """Predict every word from the one before it (the first from the prompt's end), then EOS.

        The sign that an answer follows at once is given, not predicted.
        """
        given = 1 if words[0].text == ANSWER else 0
        tokens: list[int] = []
        for place, word in enumerate(words):
            ids = self._encode(word.text)
            column = len(row.ids) - 1 + len(tokens)
            if place >= given:
                last = final or place == len(words) - 1
                row.predictions += [(column + i, token, 1.0, example, last) for i, token in enumerate(ids)]
                if where is not None and word.about is not None:
                    patches = tuple(where.objects[index] for index in word.about)
                    row.hints += [(column + i, patches, word.constraint) for i in range(len(ids))]
            tokens += ids
        row.predictions.append((len(row.ids) - 1 + len(tokens), self._eos, EOS_WEIGHT, example, False))
        row.add(tokens, GENERATED, group, range(start, start + len(tokens)))

    def _batch(self, rows: list[_Row], has_image: bool, families: list[str], length: int) -> Batch:
        def table(name: str, filler: int) -> Tensor:
            values = [getattr(row, name) for row in rows]
            return torch.tensor([v + [filler] * (length - len(v)) for v in values])

        flat = [(r, *prediction) for r, row in enumerate(rows) for prediction in row.predictions]
        hints = [(r, *hint) for r, row in enumerate(rows) for hint in row.hints]
        focus = torch.zeros(len(hints), PATCHES)
        for number, hint in enumerate(hints):
            focus[number, list(hint[2])] = 1.0
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
            torch.tensor([p[4] for p in flat]),
            torch.tensor([p[5] for p in flat]),
            families,
            torch.tensor([hint[:2] for hint in hints], dtype=torch.long).reshape(-1, 2),
            focus,
            torch.tensor([hint[3] for hint in hints], dtype=torch.long).reshape(-1, len(FREE)),
        )
