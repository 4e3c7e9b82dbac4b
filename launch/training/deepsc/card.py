"""The model card of a bundle of DeepSC's or DeepSC-VQA's: sizes, operating points, what it was trained by."""

from collections.abc import Mapping
from pathlib import Path

from launch.training.curves import read_log
from launch.training.recipe import Recipe
from launch.training.record import LOG_FILE
from shared.deepsc.config import AnyDeepsc, DeepscVqaConfig
from shared.rate import EIGHTHS, prefix_uses


def card_of(config: AnyDeepsc, recipe: Recipe, parameters: Mapping[str, int], out: Path) -> str:
    """README.md. `parameters`: of either end; `out`: the folder of the training, with its log."""
    rows = "\n".join(f"| {end} | {count:,} |" for end, count in parameters.items())
    phases = "\n".join(
        f"| `{name}` | {plan.steps:,} | {plan.rows} | {plan.peak:g} |" for name, plan in recipe.plans.items()
    )
    return f"""# {config.name}

Weights for `scheme: {config.scheme}`, trained from nothing. {_air(config)}

| end | parameters |
|---|---|
{rows}

Answers: {", ".join(config.answers)}.

## Training

| phase | steps | rows a step | peak learning rate |
|---|---|---|---|
{phases}

{_how(config)}

{_last(out, config.scheme)}

## Measured

Not yet measured through the processes.
"""


def _how(config: AnyDeepsc) -> str:
    air = "SNR evenly from -5 to 20 dB, Rayleigh fading in a quarter of the rows, else AWGN"
    if isinstance(config, DeepscVqaConfig):
        return (
            "AdamW, and Muon for the matrices of the words' transformer and of the reasoning; cosine "
            f"schedule. At the end {air}; `{config.scheme}` begins with AWGN of 20 dB."
        )
    return f"AdamW, cosine schedule; {air}."


def _air(config: AnyDeepsc) -> str:
    if not isinstance(config, DeepscVqaConfig):
        return (
            f"{config.uses_per_word} channel uses (complex symbols) a word, up to {config.text_tokens} words."
        )
    points = ", ".join(
        f"{config.patches * prefix_uses(config.uses_per_patch, eighths):,}"
        for eighths in range(1, EIGHTHS + 1)
    )
    return (
        f"Channel uses (complex symbols) of an image, for `rate.image_eighths` 1 to {EIGHTHS}: {points}; "
        f"{config.uses_per_word} for each word of a question."
    )


def _last(out: Path, phase: str) -> str:
    """The last figures on data kept for choosing, which is not what runs are measured on."""
    series = read_log(out).get(phase, {}) if (out / LOG_FILE).exists() else {}
    said = ", ".join(
        f"{name.removeprefix('dev/')} {values[-1]:.3f}"
        for name, (_, values) in series.items()
        if name.startswith("dev/")
    )
    return f"On data kept for choosing, AWGN 10 dB, at the last step: {said}." if said else ""
