"""Phase 0c: the language model learns to answer about symbolic scenes, and to judge reviews.

A symbolic scene is 64 patch tokens made from the ground truth by one linear map; no picture is rendered, so
there are as many scenes as there is time for.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from launch.datasets.clevr_style.questions import FAMILIES, Family
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, Scene, imagine_scene
from launch.datasets.imdb import ANSWERS
from launch.datasets.sample import Sample
from launch.training.corpus import words_of_scenes
from launch.training.forward import PROBE_LAYER, Pass, Stack, exact, final_share
from launch.training.hints import Scaffold, attention_loss, constraint_loss, pointer_start
from launch.training.loop import Phase, Rngs, normal, train
from launch.training.mixed import mixed
from launch.training.optimizers import matrices
from launch.training.packing import Batch, Packer, shorten
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.scenes import Patches, doubtful_features, features, patches_of
from launch.training.word_start import sentiment_start
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec

NAME = "language"
LENGTH = 384
NOISE = 0.15
"""Of the symbolic tokens, besides the doubt about what they say."""
DROPPED: Final = (0.2, 0.7)
"""Of a review that is learned from, a share of the words between these is left out."""
NONE_DROPPED: Final = (0.0, 0.0)
EASY: tuple[Family, ...] = ("zero_hop", "one_hop", "same_relate")
AT_UE = 0.4
DEV_SCENES = 64


class Reviews:
    """Token ids of reviews; long ones are cut to their beginning and their end, as at run time."""

    def __init__(self, reviews: Sequence[Sample], codec: TextCodec) -> None:
        encoded = codec.tokenizer.encode_batch([r.text for r in reviews], add_special_tokens=False)
        self.ids = [list(e.ids) for e in encoded]
        self.answers = [r.answer for r in reviews]

    def __len__(self) -> int:
        return len(self.ids)

    def fill(
        self, rng: np.random.Generator, packer: Packer, dropped: tuple[float, float] = DROPPED
    ) -> list[tuple[list[int], str]]:
        """Reviews for one sequence, each without a share of its words between the two of `dropped`."""
        room = packer.room
        found: list[tuple[list[int], str]] = []
        while room > 40:
            place = int(rng.integers(len(self.ids)))
            ids = crop(drop_words(self.ids[place], rng, dropped), room if not found else 10_000, rng)
            if len(ids) > room:
                break
            found.append((ids, self.answers[place]))
            room -= len(ids) + packer.label_tokens
        return found


def drop_words(ids: list[int], rng: np.random.Generator, dropped: tuple[float, float]) -> list[int]:
    """Without a share of them, any between the two of `dropped`, so that no single word decides.

    Word dropout: Iyyer et al. 2015. Of a text of one or two words something is left.
    """
    kept = rng.random(len(ids)) >= rng.uniform(*dropped)
    return [token for token, keep in zip(ids, kept.tolist(), strict=True) if keep] or ids


def crop(ids: list[int], longest: int, rng: np.random.Generator) -> list[int]:
    """The beginning and the end of a long text; now and then another part of it."""
    if len(ids) <= longest:
        return ids
    if rng.random() < 0.6:
        return shorten(ids, longest)
    start = int(rng.integers(len(ids) - longest + 1))
    return ids[start : start + longest]


def imagined(rngs: Rngs, most: int, doubt: bool = True) -> tuple[list[Scene], list[Patches], Tensor]:
    """Scenes, and their symbolic features: as they are seen, or (not `doubt`) as they are."""
    scenes = [imagine_scene(rng, most, DEFAULT_RESOLUTION) for rng in rngs]
    places = [patches_of(scene, *DEFAULT_RESOLUTION) for scene in scenes]
    seen = [
        doubtful_features(where, rng) if doubt else features(where)
        for where, rng in zip(places, rngs, strict=True)
    ]
    return scenes, places, torch.from_numpy(np.stack(seen))


def asked_at_ue(rngs: Rngs) -> Tensor:
    """Where the questions are asked, at the base station or at the UE, one draw a sequence."""
    return torch.tensor([rng.random() < AT_UE for rng in rngs])


def start_embeddings(
    model: SemanticModel, scaffold: Scaffold, pool: Reviews, scene_words: Sequence[int], seed: int
) -> None:
    """Words of reviews begin with what a bag of words makes of them, those of scenes anywhere.

    Patches begin with sines of row and column.
    """
    table = model.llm.model.embed_tokens.weight
    width = table.shape[1]
    labels = np.array([answer == ANSWERS["pos"] for answer in pool.answers])
    start = sentiment_start(pool.ids, labels, len(table), width, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        table.copy_(start)
        table[list(scene_words)] = torch.randn(len(scene_words), width, generator=generator) * width**-0.5
        table[scaffold.pointers_N] = pointer_start(width)


def keep_words(table: nn.Parameter, but: Sequence[int]) -> None:
    """No word's vector moves but those of `but`.

    Most words of reviews are rare. What moves their vectors is a few reviews that are then known by heart,
    and Adam takes the small push of every answer that is another word for as much as a large one.
    """
    moves_V1 = torch.zeros(len(table), 1)
    moves_V1[list(but)] = 1.0
    table.register_hook(lambda gradient_VD: gradient_VD * moves_V1)


def hints(model: SemanticModel, scaffold: Scaffold, batch: Batch, out: Pass) -> Tensor:
    return 0.2 * constraint_loss(scaffold, batch, out.probe_BTD) + 0.5 * attention_loss(
        model, batch, out.probe_BTD, PROBE_LAYER
    )


def train_language(
    team: Team,
    model: SemanticModel,
    codec: TextCodec,
    reviews: Sequence[Sample],
    plan: Plan,
    out: Path,
    seed: int,
    compiled: bool,
    leave: Callable[[], bool] = lambda: False,
    begin: Callable[[SemanticModel, Scaffold], None] | None = None,
) -> None:
    """Train to the end of the plan, or until `leave`; leaves `language.pt`, from which it continues.

    `begin` sets the weights to begin with; without it they are a bag of words'.
    """
    torch.manual_seed(seed)
    scaffold = Scaffold(model.config.llm.hidden, codec)
    pool = Reviews(reviews, codec)
    packer = Packer(
        Prompts(model.config, codec), codec, model.config.llm.bos_id, model.config.llm.eos_id, LENGTH
    )
    scene_words = words_of_scenes(codec, model.config)
    keep_words(model.llm.model.embed_tokens.weight, but=scene_words)
    if begin is None:
        start_embeddings(model, scaffold, pool, scene_words, seed)
    else:
        begin(model, scaffold)
    stack = Stack(model, compiled)

    def about_scenes(
        rngs: Rngs, progress: float, batch: Batch, seen: Tensor
    ) -> tuple[Tensor, Mapping[str, float]]:
        with mixed():
            image = scaffold.tokens(model, seen) + NOISE * normal(
                rngs, *seen.shape[1:2], model.config.llm.hidden
            )
            out = stack.run(batch, image, asked_at_ue(rngs))
            loss, right = stack.answer_loss(batch, out)
            hint = hints(model, scaffold, batch, out)
        figures = {"hint": float(hint.detach()), "right": final_share(batch, right)}
        return loss + (1.0 - 0.7 * progress) * hint, figures

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        most = 5 if progress < 0.1 else 10
        scenes, places, seen = imagined(rngs, most)
        families = EASY if progress < 0.06 else FAMILIES
        yield "vqa", *about_scenes(rngs, progress, packer.questions(scenes, places, rngs, families), seen)
        if step % 3 == 0:
            batch = packer.reviews([pool.fill(rng, packer) for rng in rngs])
            with mixed():
                loss, right = stack.answer_loss(batch, stack.run(batch, None, asked_at_ue(rngs)))
            yield "review", 0.5 * loss, {"right": final_share(batch, right)}
        if step % 4 == 1:
            scenes, places, seen = imagined(rngs, 10)
            loss, figures = about_scenes(rngs, progress, packer.captions(scenes, places), seen)
            yield "caption", 0.5 * loss, figures

    def judge() -> dict[str, float]:
        return judge_on_symbols(model, scaffold, stack, packer, plan.rows // team.size)

    parameters = [*model.llm.parameters(), *scaffold.parameters()]
    hidden = matrices(model.llm.model.layers)
    modules = {"llm": model.llm, "scaffold": scaffold}
    phase = Phase(NAME, plan, modules, parameters, losses, judge, hidden=hidden)
    train(team, phase, out, seed, leave)


@torch.no_grad()
def judge_on_symbols(
    model: SemanticModel, scaffold: Scaffold, stack: Stack, packer: Packer, rows: int
) -> dict[str, float]:
    """The share of traces and answers that are right to the last word, by family, on scenes drawn for it."""
    hits, totals = Counter[str](), Counter[str]()
    for start in range(0, DEV_SCENES, rows):
        rngs = [np.random.default_rng([1_000_003, start + row]) for row in range(rows)]
        scenes, places, seen = imagined(rngs, 10, doubt=False)
        for batch in (packer.questions(scenes, places, rngs), packer.captions(scenes, places)):
            with mixed():
                out = stack.run(batch, scaffold.tokens(model, seen), torch.zeros(rows, dtype=torch.bool))
                _, right = stack.answer_loss(batch, out)
            for family, (hit, total) in exact(batch, right).items():
                hits[family] += hit
                totals[family] += total
    return shares(hits, totals)


def shares(hits: Mapping[str, int], totals: Mapping[str, int]) -> dict[str, float]:
    """Of each family, the direct answers together, and the mean over the families with a trace."""
    plain: dict[str, float] = {f: hits[f] / totals[f] for f in FAMILIES if totals.get(f)}
    direct: Sequence[str] = [f for f in totals if f.endswith("direct")]
    found: dict[str, float] = {**plain, "mean": sum(plain.values()) / max(1, len(plain))}
    if direct:
        found["direct"] = sum(hits[f] for f in direct) / sum(totals[f] for f in direct)
    for other in ("caption", "review"):
        if totals.get(other):
            found[other] = hits[other] / totals[other]
    return found
