"""How long and how fast each phase trains; what a phase does is in its own file."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """One phase: `rows` sequences or pictures a step in all workers together, learning rate `peak`."""

    steps: int
    rows: int
    peak: float
    floor: float = 0.02
    judge_every: int = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """All phases, in the order in which they run."""

    plans: dict[str, Plan]
    lora_rank: int = 32
    tasks: tuple[str, ...] = ("vqa", "caption", "text_classification")
    compiled: bool = True
    """Compile the language model's layers, or the reasoning, where a C++ compiler is at hand."""
    length: int = 384
    """Tokens of a packed sequence."""

    def scaled(self, share: float) -> "Recipe":
        """The same with every phase's steps times `share`, at least two."""
        plans = {n: replace(p, steps=max(2, round(p.steps * share))) for n, p in self.plans.items()}
        return replace(self, plans=plans)


MICRO_RECIPE: Final = Recipe(
    {
        "vision": Plan(steps=7_000, rows=32, peak=1.5e-3),
        "language": Plan(steps=4_500, rows=8, peak=2e-3),
        "align": Plan(steps=4_000, rows=8, peak=2e-3, judge_every=1_000),
        "tune": Plan(steps=700, rows=8, peak=8e-4),
        "joint": Plan(steps=4_000, rows=8, peak=8e-4),
    }
)

#: From a finished bundle on: rates below those of a start from nothing, so that what is known is kept.
MICRO_FURTHER_RECIPE: Final = Recipe(
    {
        "vision": Plan(steps=6_500, rows=32, peak=1e-3),
        "language": Plan(steps=3_500, rows=8, peak=1e-3),
        "align": Plan(steps=2_000, rows=8, peak=1e-3, judge_every=1_000),
        "tune": Plan(steps=500, rows=8, peak=6e-4),
        "joint": Plan(steps=2_400, rows=8, peak=8e-4, judge_every=800),
    }
)

#: Phase 3 alone, for a cut or a channel that a finished bundle's code was not trained for.
MICRO_JOINT_RECIPE: Final = Recipe({"joint": MICRO_FURTHER_RECIPE.plans["joint"]})

#: For published weights: a beginning, of which no whole run has been made.
PAPER_RECIPE: Final = Recipe(
    {
        "align": Plan(steps=2_000, rows=8, peak=1e-3),
        "tune": Plan(steps=6_000, rows=8, peak=2e-4),
        "joint": Plan(steps=4_000, rows=8, peak=2e-4),
    },
    lora_rank=16,
    compiled=False,
    length=1_024,
)

#: What `m4sc train --scheme` trains by.
DEEPSC_RECIPES: Final = {
    "deepsc": Recipe({"deepsc": Plan(steps=8_000, rows=16, peak=5e-4)}, compiled=False),
    "deepsc_vqa": Recipe(
        {
            "deepsc_vision": Plan(steps=6_000, rows=16, peak=1.5e-3),
            "deepsc_vqa": Plan(steps=20_000, rows=8, peak=1e-3, judge_every=1_000),
        },
    ),
}


def recipe_of(preset: str, further: bool) -> Recipe:
    """What a preset or scheme is trained by: from nothing, or (`further`) on from a bundle, as `paper` is."""
    if preset in DEEPSC_RECIPES:
        return DEEPSC_RECIPES[preset]
    if preset == "paper":
        return PAPER_RECIPE
    return MICRO_FURTHER_RECIPE if further else MICRO_RECIPE
