"""The variants that the ablations compare; each differs from the reference in one thing.

All start from one run's phase 0 and train phases 1 to 3 with the same seed, steps and data.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from launch.training.recipe import Recipe
from launch.training.run import LANGUAGE, TOKENIZER, VISION, Job
from launch.training.tuning import ALIGN, JOINT, TUNE
from shared.semantic.config import SemanticConfig, at_split, parse_config
from shared.semantic.mlp import hidden_for
from shared.semantic.model import shape_of_model

REFERENCE: Final = "reference"
TRAINED: Final = "trained"
"""The run's own phases 1 to 3, at the length of the run's recipe."""
MLP: Final = "mlp"
NO_JOINT: Final = "no_joint"
TRACES: Final = "traces"
"""The table that the run's own weights are measured for; the others need its phase 0 only."""
GROUPS: Final = ("projector", "tasks", "joint", "split", TRACES)
PHASES_0: Final = (TOKENIZER, VISION, LANGUAGE)


@dataclass(frozen=True, slots=True)
class Source:
    """A run of `m4sc train`: where it lies, what it trains, on how many steps, from which seed."""

    folder: Path
    config: SemanticConfig
    recipe: Recipe
    seed: int


@dataclass(frozen=True, slots=True)
class Variant:
    """One bundle to make. `shared`: phases that are the reference's own, not trained again."""

    name: str
    config: SemanticConfig
    recipe: Recipe
    shared: tuple[str, ...] = ()

    def job(self, source: Source, out: Path, data: Path, imdb: Path) -> Job:
        """How it is trained; variants lie side by side in `out`."""
        held = dict.fromkeys(PHASES_0, source.folder)
        if self.name == TRAINED:
            held |= dict.fromkeys(self.recipe.plans, source.folder)
        held |= dict.fromkeys(self.shared, out / REFERENCE)
        return Job(self.config, self.recipe, data, imdb, out / self.name, source.seed, held)


def variants_of(source: Source, share: float) -> dict[str, Variant]:
    """All variants by name, each after those it shares phases with; `share` of the run's steps."""
    config, recipe = source.config, source.recipe.scaled(share)
    still = {**recipe.plans, JOINT: replace(recipe.plans[JOINT], steps=0)}
    before = (ALIGN, TUNE)
    found = [
        Variant(REFERENCE, config, recipe),
        Variant(MLP, with_mlp(config), recipe),
        *(Variant(alone(task), config, replace(recipe, tasks=(task,))) for task in recipe.tasks),
        Variant(NO_JOINT, config, replace(recipe, plans=still), before),
        *(Variant(split(config, k), at_split(config, k), recipe, before) for k in other_splits(config)),
        Variant(TRAINED, config, source.recipe),
    ]
    return {variant.name: variant for variant in found}


def names_of(group: str, source: Source) -> list[str]:
    """The variants that a table compares."""
    config = source.config
    return {
        "projector": [REFERENCE, MLP],
        "tasks": [REFERENCE, *(alone(task) for task in source.recipe.tasks)],
        "joint": [REFERENCE, NO_JOINT],
        "split": [REFERENCE, *(split(config, k) for k in other_splits(config))],
        TRACES: [TRAINED],
    }[group]


def alone(task: str) -> str:
    """The name of the variant with one task."""
    return f"only_{task}"


def split(config: SemanticConfig, k: int) -> str:
    """The name of the variant that is cut at layer k; where the configuration cuts, the reference's."""
    return REFERENCE if k == config.split_layer else f"split_{k}"


def other_splits(config: SemanticConfig) -> list[int]:
    return [k for k in range(config.llm.layers) if k != config.split_layer]


def with_mlp(config: SemanticConfig) -> SemanticConfig:
    """The same with a perceptron for a projector, of as many parameters as its width allows."""
    hidden = hidden_for(projector_parameters(config), config.vision.hidden, config.llm.hidden)
    return parse_config({**config.model_dump(), "kan": None, "mlp": {"hidden": hidden}})


def projector_parameters(config: SemanticConfig) -> int:
    return sum(p.numel() for p in shape_of_model(config).projector.parameters())
