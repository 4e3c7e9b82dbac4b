"""The first phase of DeepSC-VQA: its image encoder, in place of a pre-trained one, learns what stands where.

Every patch says whether an object's centre lies in it, and which attributes that object has: as dense a
supervision as M4SC's vision tower has, on the same pictures, changed in the same ways.

Shapes: B pictures, N patches, A attributes, C channels.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from launch.training.images import Pictures
from launch.training.loop import Phase, Rngs, train
from launch.training.mixed import mixed
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.scenes import GRID, NOTHING, SIZES_OF, Patches
from launch.training.vision import OBJECTS, augment
from shared.deepsc.config import DeepscVqaConfig
from shared.deepsc.vision import ImageEncoder, pixels_of

NAME: Final = "deepsc_vision"
_OBJECT_WEIGHT: Final = 4.0
_JUDGE_ROWS: Final = 25


class PatchProbe(nn.Linear):
    """Of every patch: whether there is an object, and logits of its attributes."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 1 + sum(SIZES_OF))


def centres(patches: Patches, grid: int) -> np.ndarray:
    """Attribute indices [N, A] of the object whose centre lies in a patch of a grid, else NOTHING.

    Of two in one patch, the one that is nearer to the camera.
    """
    found = np.full((grid * grid, len(SIZES_OF)), NOTHING, np.int64)
    for values, (x, y) in sorted(
        zip(patches.values_OA.tolist(), patches.centres_O2.tolist(), strict=True), key=lambda o: o[1][1]
    ):
        place = patch_of((x, y), grid)
        if place is not None:
            found[place] = values
    return found


def patch_of(centre_2: Sequence[float] | np.ndarray, grid: int) -> int | None:
    """The patch of a grid that a centre, in M4SC's patches, lies in; None outside the picture."""
    column, row = (int(np.floor(coordinate * grid / GRID)) for coordinate in centre_2)
    return row * grid + column if 0 <= column < grid and 0 <= row < grid else None


def patch_loss(said_BNF: Tensor, wanted_BNA: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Presence and attributes of all patches; each object counts alike, in whichever worker's pictures."""
    there = wanted_BNA[..., 0] != NOTHING
    presence = functional.binary_cross_entropy_with_logits(
        said_BNF[..., 0], there.float(), pos_weight=torch.tensor(_OBJECT_WEIGHT)
    )
    said, true = said_BNF[..., 1:][there], wanted_BNA[there]
    loss, start, figures = 10.0 * presence, 0, {}
    objects = OBJECTS * len(wanted_BNA)
    guess = said_BNF[..., 0] > 0
    hits = float((guess & there).sum())
    figures["f1"] = 2 * hits / max(1.0, float(guess.sum() + there.sum()))
    for column, (name, amount) in enumerate(
        zip(("size", "color", "material", "shape"), SIZES_OF, strict=True)
    ):
        part = said[:, start : start + amount]
        loss = loss + functional.cross_entropy(part, true[:, column], reduction="sum") / objects
        figures[name] = float((part.argmax(1) == true[:, column]).float().mean()) if len(true) else 0.0
        start += amount
    return loss, figures


def train_encoder(
    team: Team,
    config: DeepscVqaConfig,
    pictures: Pictures,
    dev: Pictures,
    plan: Plan,
    out: Path,
    seed: int,
) -> None:
    """Train to the end of the plan; leaves `deepsc_vision.pt`, from which it continues."""
    torch.manual_seed(seed)
    encoder, probe = ImageEncoder(config), PatchProbe(config.channels[-1])

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        pixels, wanted = _changed(pictures, config.grid, rngs)
        with mixed():
            seen = encoder(pixels)
        loss, figures = patch_loss(probe(seen.float()), wanted)
        yield "patches", loss, figures

    modules = {"encoder": encoder, "probe": probe}
    parameters = [*encoder.parameters(), *probe.parameters()]
    phase = Phase(NAME, plan, modules, parameters, losses, lambda: _judge(encoder, probe, dev, config.grid))
    train(team, phase, out, seed)


def _changed(pictures: Pictures, grid: int, rngs: Rngs) -> tuple[Tensor, Tensor]:
    """One picture for each generator, mirrored, moved, lit otherwise; and what stands where then."""
    pixels, wanted = [], []
    for rng in rngs:
        row = int(rng.integers(len(pictures)))
        picture, change = augment(pictures.pixels_BSSC[row], rng)
        pixels.append(picture)
        moved = pictures.patches[row].moved(change.mirrored, change.right, change.down)
        wanted.append(centres(moved, grid))
    return torch.from_numpy(np.stack(pixels)), torch.from_numpy(np.stack(wanted))


@torch.no_grad()
def _judge(encoder: ImageEncoder, probe: PatchProbe, pictures: Pictures, grid: int) -> dict[str, float]:
    found: list[dict[str, float]] = []
    for start in range(0, len(pictures), _JUDGE_ROWS):
        rows: Sequence[int] = range(start, min(start + _JUDGE_ROWS, len(pictures)))
        pixels = torch.stack(
            [pixels_of(pictures.pixels_BSSC[row], pictures.pixels_BSSC.shape[1]) for row in rows]
        )
        wanted = torch.from_numpy(np.stack([centres(pictures.patches[row], grid) for row in rows]))
        found.append(patch_loss(probe(encoder(pixels)), wanted)[1])
    return {name: float(np.mean([row[name] for row in found])) for name in found[0]} if found else {}
