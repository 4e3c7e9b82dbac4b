"""Phase 0b: the vision tower learns, patch by patch, what stands there: it stands in for a pre-trained one.

Shapes: B pictures, N patches, A attributes, D width of the tower.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from launch.training.images import Pictures, load_pictures
from launch.training.loop import Phase, Rngs, train
from launch.training.mixed import mixed
from launch.training.optimizers import matrices
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.scenes import FEATURES, FINE, GRID, NOTHING, PATCHES, SIZES_OF, features, shift
from shared.semantic.config import SemanticConfig
from shared.semantic.siglip import VisionTower, to_pixels

NAME = "vision"


#: Objects of a picture, and patches that an object covers, on average.
OBJECTS: Final = 6.5
COVERED: Final = 3.5
#: Quantiles of the unit normal: one for each value of a byte.
NORMAL: Final = torch.special.ndtri((torch.arange(256, dtype=torch.float64) + 0.5) / 256).float().numpy()


class PatchProbe(nn.Module):
    """What the tower must be able to say of every patch: anchor and its attributes, offset, cover.

    `symbols` reads the patch off as `scenes.features` write it. A linear map that is right on average says
    how likely each attribute is, so that the projector need not learn to.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.place = nn.Linear(width, PATCHES)
        self.anchor = nn.Linear(width, 1 + sum(SIZES_OF) + 2)
        self.cover = nn.Linear(width, sum(SIZES_OF))
        self.symbols = nn.Linear(width, FEATURES)


def start_tower(tower: VisionTower, pictures: Pictures, seed: int = 0) -> None:
    """Positions from 2-D sines; SigLIP's own patch embedding from the principal components of patches."""
    embeddings = tower.model.embeddings
    positions_ND = embeddings.position_embedding.weight
    with torch.no_grad():
        waves_ND = _waves(positions_ND.shape[1])
        positions_ND[:, : waves_ND.shape[1]] = 0.3 * waves_ND
        if isinstance(embeddings.patch_embedding, nn.Conv2d):
            _start_patches(embeddings.patch_embedding, pictures, seed)


def _waves(width: int) -> Tensor:
    """Sines and cosines of row and column, [N, at most width]."""
    angle = torch.arange(width // 4) / (width // 4)
    turns = (torch.arange(GRID)[:, None] + 0.5) * 3.0 / (30.0**angle)
    waves = torch.cat([turns.sin(), turns.cos()], 1)
    rows, columns = waves[:, None].expand(GRID, GRID, -1), waves[None].expand(GRID, GRID, -1)
    return torch.cat([rows, columns], 2).reshape(PATCHES, -1)


def _start_patches(embedding: nn.Conv2d, pictures: Pictures, seed: int) -> None:
    width, _, size, _ = embedding.weight.shape
    rng = np.random.default_rng(seed)
    sample = pictures.pixels_BSSC[rng.choice(len(pictures), min(len(pictures), 400), replace=False)]
    pixels = to_pixels(sample)
    rows = (
        pixels.unfold(2, size, size).unfold(3, size, size).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
    )
    mean = rows.mean(0)
    values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
    keep = min(width, len(values))
    scales = (values[-keep:].clamp_min(1e-6) + 1e-3).rsqrt() * 0.5
    basis = vectors[:, -keep:] * scales
    assert embedding.bias is not None
    embedding.weight[:keep] = basis.T.reshape(keep, 3, size, size)
    embedding.bias[:keep] = -(mean @ basis)


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a picture: mirrored, then moved by so many cells of FINE."""

    mirrored: bool = False
    right: int = 0
    down: int = 0


def augment(picture_SSC: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Change]:
    """A picture as [3, S, S] in [-1, 1], mirrored, moved, softened, lit otherwise, with noise; and how."""
    size = picture_SSC.shape[0]
    change = Change(bool(rng.random() < 0.5), *rng.integers((-6, -4), (7, 5)).tolist())
    turned = picture_SSC[:, ::-1] if change.mirrored else picture_SSC
    moved = shift(turned, round(change.right * size / FINE[0]), round(change.down * size / FINE[1]))
    # One table for all 256 levels of a channel: cheaper than powers of every pixel.
    level_LC = (np.arange(256) / 255.0)[:, None] ** rng.uniform(0.8, 1.25) * rng.uniform(0.85, 1.15, 3) ** 0.5
    level_LC = (level_LC * rng.uniform(0.85, 1.15) + rng.uniform(-0.05, 0.05)).astype(np.float32)
    light_CSS = np.stack([level_LC[:, channel][moved[..., channel]] for channel in range(3)])
    if rng.random() < 0.4:
        light_CSS = soften(light_CSS, float(rng.uniform(0.0, 0.25)), float(rng.uniform(0.0, 0.25)))
    noise = NORMAL[np.frombuffer(rng.bytes(light_CSS.size), np.uint8)].reshape(light_CSS.shape)
    return (light_CSS + np.float32(rng.uniform(0.0, 0.03)) * noise) * 2.0 - 1.0, change


def soften(picture_CSS: np.ndarray, across: float, along: float) -> np.ndarray:
    """Each pixel lends a share to its neighbours on both sides, across and along."""
    for axis, share in ((2, across), (1, along)):
        beside = np.roll(picture_CSS, 1, axis) + np.roll(picture_CSS, -1, axis)
        picture_CSS = np.float32(1 - 2 * share) * picture_CSS + np.float32(share) * beside
    return picture_CSS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the probe should say: attributes of anchors, offsets, attributes of covers, and symbols."""

    anchor_BNA: Tensor
    offset_BN2: Tensor
    cover_BNA: Tensor
    symbols_BNF: Tensor


def targets(pictures: Pictures, rows: Sequence[int], changes: Sequence[Change]) -> Wanted:
    """Of the changed pictures."""
    moved = [
        pictures.patches[row].moved(change.mirrored, change.right, change.down)
        for row, change in zip(rows, changes, strict=True)
    ]
    return Wanted(
        torch.from_numpy(np.stack([m.anchor_NA for m in moved])),
        torch.from_numpy(np.stack([m.offset_N2 for m in moved])),
        torch.from_numpy(np.stack([m.cover_NA for m in moved])),
        torch.from_numpy(np.stack([features(m) for m in moved])),
    )


def _attributes(logits: Tensor, wanted_BNA: Tensor) -> tuple[Tensor, list[float]]:
    """Cross-entropies, summed over the patches that something is wanted of; and the shares that are right."""
    chosen = wanted_BNA[..., 0] != NOTHING
    said, true = logits[chosen].float(), wanted_BNA[chosen]
    loss, accuracies, start = torch.zeros(()), [], 0
    for column, amount in enumerate(SIZES_OF):
        part = said[:, start : start + amount]
        loss = loss + functional.cross_entropy(part, true[:, column], reduction="sum")
        accuracies.append(float((part.argmax(1) == true[:, column]).float().mean()))
        start += amount
    return loss, accuracies


def patch_loss(probe: PatchProbe, tokens_BND: Tensor, wanted: Wanted) -> tuple[Tensor, dict[str, float]]:
    """Dense supervision of all patches, and how much is right.

    Sums over objects are divided by what pictures have on average: so that any split into workers gives the
    same.
    """
    objects = len(tokens_BND) * OBJECTS
    said = probe.anchor(tokens_BND)
    present = (wanted.anchor_BNA[..., 0] != NOTHING).float()
    found = functional.binary_cross_entropy_with_logits(
        said[..., 0].float(), present, pos_weight=torch.tensor(2.0)
    )
    attributes, right = _attributes(said[..., 1:-2], wanted.anchor_BNA)
    covered, _ = _attributes(probe.cover(tokens_BND), wanted.cover_BNA)
    place = ((said[..., -2:].float() - wanted.offset_BN2).abs().sum(-1) * present).sum()
    symbols = (probe.symbols(tokens_BND).float() - wanted.symbols_BNF).square().sum()
    guess = said[..., 0] > 0
    hits = float((guess * present).sum())
    figures = {
        "f1": 2 * hits / float(guess.sum() + present.sum()),
        **dict(zip(("size", "color", "material", "shape"), right, strict=True)),
        "symbols_loss": float(symbols.detach()) / objects,
    }
    index = torch.arange(PATCHES).expand(len(tokens_BND), -1)
    own = functional.cross_entropy(probe.place(tokens_BND).float().flatten(0, 1), index.flatten())
    of_objects = (attributes + 0.3 * place + 0.5 * symbols) / objects
    return 6.0 * found + of_objects + 0.4 * covered / (objects * COVERED) + 0.2 * own, figures


def train_vision(
    team: Team,
    config: SemanticConfig,
    plan: Plan,
    data: Path,
    out: Path,
    seed: int,
    compiled: bool,
    leave: Callable[[], bool] = lambda: False,
    start: Mapping[str, Tensor] | None = None,
) -> None:
    """Train to the end of the plan, or until `leave`; leaves `vision.pt`, from which it continues.

    `start`: the tower's weights to begin with.
    """
    torch.manual_seed(seed)
    tower, probe = VisionTower(config.vision), PatchProbe(config.vision.hidden)
    # The fused kernel's gradient takes 40% of a step on a CPU; written out, attention costs a tenth of that.
    tower.model.config._attn_implementation = "eager"
    pictures = load_pictures(data, config.vision.image_size, "train", coverage=True)
    dev = load_pictures(data, config.vision.image_size, "dev", coverage=True, limit=200)
    if start is None:
        start_tower(tower, pictures, seed)
    else:
        tower.load_state_dict(start)
    if compiled:
        for part in (tower.model.embeddings.patch_embedding, *tower.model.encoder.layers):
            part.compile(dynamic=False)

    def losses(step: int, progress: float, rngs: Rngs) -> Iterator[tuple[str, Tensor, Mapping[str, float]]]:
        rows = [int(rng.integers(len(pictures))) for rng in rngs]
        changed = [augment(pictures.pixels_BSSC[row], rng) for row, rng in zip(rows, rngs, strict=True)]
        pixels = torch.from_numpy(np.stack([picture for picture, _ in changed]))
        with mixed():
            tokens = tower(pixels)
        loss, figures = patch_loss(
            probe, tokens.float(), targets(pictures, rows, [change for _, change in changed])
        )
        yield "patches", loss, figures

    train(
        team,
        Phase(
            NAME,
            plan,
            {"tower": tower, "probe": probe},
            [*tower.parameters(), *probe.parameters()],
            losses,
            lambda: _judge(tower, probe, dev),
            decay=0.05,
            hidden=matrices(tower.model.encoder.layers),
        ),
        out,
        seed,
        leave,
    )


@torch.no_grad()
def _judge(tower: VisionTower, probe: PatchProbe, pictures: Pictures) -> dict[str, float]:
    figures: list[dict[str, float]] = []
    for start in range(0, len(pictures), 50):
        rows = range(start, min(start + 50, len(pictures)))
        wanted = targets(pictures, rows, [Change()] * len(rows))
        _, found = patch_loss(probe, tower(to_pixels(pictures.pixels_BSSC[rows.start : rows.stop])), wanted)
        figures.append(found)
    return {name: float(np.mean([row[name] for row in figures])) for name in figures[0]}
