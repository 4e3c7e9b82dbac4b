"""Phase 0b: the vision tower learns, patch by patch, what stands there: it stands in for a pre-trained one.

Shapes: B pictures, N patches, A attributes, D width of the tower.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from launch.training.images import Pictures, load_pictures
from launch.training.loop import Checkpoint, Clock, Mean, log, optimizer, rate, update
from launch.training.parallel import Team
from launch.training.scenes import FINE, GRID, NOTHING, PATCHES, SIZES_OF, shift
from shared.semantic.config import SemanticConfig
from shared.semantic.siglip import VisionTower, to_pixels

BATCH = 32
PEAK = 1.5e-3
RELOAD_S = 240.0
Flag = Event | None


class PatchProbe(nn.Module):
    """What the tower must be able to say of every patch: anchor and its attributes, offset, cover."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.anchor = nn.Linear(width, 1 + sum(SIZES_OF) + 2)
        self.cover = nn.Linear(width, sum(SIZES_OF))


def start_tower(tower: VisionTower, pictures: Pictures, seed: int = 0) -> None:
    """Patch embedding from the principal components of patches, positions from 2-D sines."""
    embeddings = tower.model.embeddings
    weight = embeddings.patch_embedding.weight
    width, _, size, _ = weight.shape
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
    angle = torch.arange(width // 4) / (width // 4)
    turns = (torch.arange(GRID)[:, None] + 0.5) * 3.0 / (30.0**angle)
    waves = torch.cat([turns.sin(), turns.cos()], 1)
    grid = torch.cat([waves[:, None].expand(GRID, GRID, -1), waves[None].expand(GRID, GRID, -1)], 2).reshape(
        PATCHES, -1
    )
    with torch.no_grad():
        weight[:keep] = basis.T.reshape(keep, 3, size, size)
        bias = embeddings.patch_embedding.bias
        assert bias is not None
        bias[:keep] = -(mean @ basis)
        embeddings.position_embedding.weight[:, : grid.shape[1]] = 0.3 * grid


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a picture: mirrored, then moved by so many cells of FINE."""

    mirrored: bool = False
    right: int = 0
    down: int = 0


def augment(pixels_BSSC: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, list[Change]]:
    """Pixels in [-1, 1], mirrored, moved, in other light and with noise; and what happened to each."""
    size = pixels_BSSC.shape[1]
    changes, pictures = [], []
    for picture in pixels_BSSC:
        change = Change(bool(rng.random() < 0.5), *rng.integers((-4, -3), (5, 4)).tolist())
        turned = picture[:, ::-1] if change.mirrored else picture
        pictures.append(
            shift(turned, round(change.right * size / FINE[0]), round(change.down * size / FINE[1]))
        )
        changes.append(change)
    tensor = to_pixels(np.stack(pictures))
    gain = torch.from_numpy(rng.uniform(0.85, 1.15, (len(tensor), 1, 1, 1)).astype(np.float32))
    light = torch.from_numpy(rng.uniform(-0.1, 0.1, (len(tensor), 1, 1, 1)).astype(np.float32))
    return tensor * gain + light + 0.03 * torch.randn(tensor.shape), changes


def targets(pictures: Pictures, rows: Sequence[int], changes: Sequence[Change]) -> tuple[Tensor, ...]:
    """Anchor attributes, offsets and cover attributes of the changed pictures."""
    moved = [
        pictures.patches[row].moved(change.mirrored, change.right, change.down)
        for row, change in zip(rows, changes, strict=True)
    ]
    return (
        torch.from_numpy(np.stack([m.anchor_NA for m in moved])),
        torch.from_numpy(np.stack([m.offset_N2 for m in moved])),
        torch.from_numpy(np.stack([m.cover_NA for m in moved])),
    )


def _attributes(logits: Tensor, wanted_BNA: Tensor) -> tuple[Tensor, list[float]]:
    chosen = wanted_BNA[..., 0] != NOTHING
    said, true = logits[chosen].float(), wanted_BNA[chosen]
    loss, accuracies, start = torch.zeros(()), [], 0
    for column, amount in enumerate(SIZES_OF):
        part = said[:, start : start + amount]
        loss = loss + functional.cross_entropy(part, true[:, column])
        accuracies.append(float((part.argmax(1) == true[:, column]).float().mean()))
        start += amount
    return loss, accuracies


def patch_loss(
    probe: PatchProbe, tokens_BND: Tensor, anchor: Tensor, offset: Tensor, cover: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Dense supervision of all patches, and how much is right."""
    said = probe.anchor(tokens_BND)
    present = (anchor[..., 0] != NOTHING).float()
    found = functional.binary_cross_entropy_with_logits(
        said[..., 0].float(), present, pos_weight=torch.tensor(2.0)
    )
    attributes, right = _attributes(said[..., 1:-2], anchor)
    covered, _ = _attributes(probe.cover(tokens_BND), cover)
    place = ((said[..., -2:].float() - offset).abs().sum(-1) * present).sum() / present.sum()
    guess = said[..., 0] > 0
    hits = float((guess * present).sum())
    figures = {
        "f1": 2 * hits / float(guess.sum() + present.sum()),
        **dict(zip(("size", "color", "material", "shape"), right, strict=True)),
    }
    return 6.0 * found + attributes + 0.4 * covered + 0.3 * place, figures


def train_vision(
    team: Team, config: SemanticConfig, data: Path, out: Path, minutes: float, seed: int, enough: Flag = None
) -> None:
    """Train for `minutes` in all, or until `enough` is set; leaves `vision.pt`, from which it continues."""
    torch.set_num_threads(1)
    torch.manual_seed(seed + team.rank)
    tower, checkpoint = VisionTower(config.vision), Checkpoint(out / "vision.pt")
    probe = PatchProbe(config.vision.hidden)
    pictures = load_pictures(data, config.vision.image_size, "train", coverage=True)
    dev = load_pictures(data, config.vision.image_size, "dev", coverage=True, limit=100)
    parameters = [*tower.parameters(), *probe.parameters()]
    optim = optimizer(parameters, decay=0.05)
    state, step = checkpoint.load(), 0
    if state is None:
        start_tower(tower, pictures, seed)
    else:
        tower.load_state_dict(state["tower"])
        probe.load_state_dict(state["probe"])
        optim.load_state_dict(state["optimizer"])
        step = state["step"]
    team.share([p.data for p in parameters])
    rng = np.random.default_rng([seed, step, team.rank])
    clock, mean = Clock(60 * minutes, state["spent"] if state else 0.0), Mean()
    progress, last_load = clock.progress, clock.spent_s

    def save() -> None:
        checkpoint.save(
            {
                "tower": tower.state_dict(),
                "probe": probe.state_dict(),
                "optimizer": optim.state_dict(),
                "step": step,
                "spent": clock.spent_s,
                "pictures": len(pictures),
            }
        )

    while progress < 1.0 and not (enough and enough.is_set()):
        if team.size == 1 and clock.spent_s - last_load > RELOAD_S and progress < 0.8:
            pictures = load_pictures(data, config.vision.image_size, "train", coverage=True)
            last_load = clock.spent_s
        rows = rng.integers(len(pictures), size=BATCH)
        pixels, changes = augment(pictures.pixels_BSSC[rows], rng)
        with torch.autocast("cpu", torch.bfloat16):
            tokens = tower(pixels)
        loss, figures = patch_loss(probe, tokens.float(), *targets(pictures, rows.tolist(), changes))
        loss.backward()
        progress = team.average(parameters, clock.progress)
        update(optim, rate(progress, PEAK, 0.02))
        step += 1
        mean.add(loss=float(loss.detach()), **figures)
        if team.leads and step % 100 == 0:
            log(
                out / "log.jsonl",
                "0b",
                step=step,
                spent=clock.spent_s,
                pictures=len(pictures),
                **mean.take(),
            )
        if team.leads and step % 500 == 0:
            log(out / "log.jsonl", "0b dev", step=step, **_judge(tower, probe, dev))
        if team.leads and checkpoint.due():
            save()
    if team.leads:
        save()


@torch.no_grad()
def _judge(tower: VisionTower, probe: PatchProbe, pictures: Pictures) -> dict[str, float]:
    wanted = targets(pictures, range(len(pictures)), [Change()] * len(pictures))
    loss, figures = patch_loss(probe, tower(to_pixels(pictures.pixels_BSSC)), *wanted)
    return {"loss": float(loss), **figures}
