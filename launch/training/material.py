"""What phases 1 to 3 draw from: rendered pictures as tokens of the vision tower, their scenes, and reviews.

Shapes: B pictures, N patches, V vision width, F symbolic features.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from launch.datasets.clevr_style.scene import Scene
from launch.training.draws import fixed_air
from launch.training.forward import Stack, exact
from launch.training.images import Pictures, load_pictures
from launch.training.language import NONE_DROPPED, Reviews, shares
from launch.training.loop import Rngs, TrainingError
from launch.training.mixed import mixed
from launch.training.packing import Batch, Packer
from launch.training.scenes import Patches, features
from shared.semantic.model import SemanticModel
from shared.semantic.siglip import VisionTower, to_pixels

TOKENS_FILE = "tokens.npz"
DEV_PICTURES = 200


@dataclass(slots=True)
class Material:
    """What a phase draws from. `tokens_BNV` are the vision tower's, float16."""

    pictures: Pictures
    tokens_BNV: np.ndarray
    reviews: Reviews
    packer: Packer

    def draw(self, rngs: Rngs) -> list[int]:
        """A picture for each row."""
        return [int(rng.integers(len(self.pictures.scenes))) for rng in rngs]

    def scenes(self, rows: Sequence[int]) -> tuple[list[Scene], list[Patches]]:
        return [self.pictures.scenes[row] for row in rows], [self.pictures.patches[row] for row in rows]

    def seen(self, rows: Sequence[int]) -> Tensor:
        """Tokens of the vision tower, [B, N, V]."""
        return torch.from_numpy(self.tokens_BNV[list(rows)].astype(np.float32))

    def asked(self, rngs: Rngs) -> tuple[Batch, Tensor]:
        """Questions about a picture for each row, and its tokens."""
        rows = self.draw(rngs)
        return self.packer.questions(*self.scenes(rows), rngs), self.seen(rows)

    def symbols(self, rows: Sequence[int]) -> Tensor:
        """The same scenes as symbolic features, [B, N, F]."""
        return torch.from_numpy(np.stack([features(self.pictures.patches[row]) for row in rows]))


@torch.no_grad()
def see(tower: VisionTower, pictures: Pictures, batch: int = 64) -> np.ndarray:
    """The vision tower's tokens of all pictures, [B, N, V] float16."""
    rows = []
    for start in range(0, len(pictures), batch):
        with mixed():
            rows.append(tower(to_pixels(pictures.pixels_BSSC[start : start + batch])).half().numpy())
    return np.concatenate(rows)


def write_tokens(tower: VisionTower, image_size: int, data: Path, out: Path) -> None:
    """Run the vision tower over all finished pictures, once."""
    path = out / TOKENS_FILE
    held: dict[str, np.ndarray] = {}
    for part in ("train", "dev"):
        pictures = load_pictures(data, image_size, part)
        held[part] = see(tower, pictures)
        held[f"{part}_index"] = np.array([scene["image_index"] for scene in pictures.scenes])
    partial = path.with_suffix(".tmp.npz")
    np.savez(partial, allow_pickle=False, **held)
    partial.replace(path)


def load_material(packer: Packer, pool: Reviews, data: Path, out: Path, part: str) -> Material:
    """Raises `TrainingError` where pictures are gone since their tokens were written."""
    with np.load(out / TOKENS_FILE) as file:
        tokens, indices = file[part], file[f"{part}_index"]
    pictures = load_pictures(data, None, part, indices=indices.tolist())
    if len(pictures.scenes) != len(tokens):
        raise TrainingError(f"{data}: pictures are gone since {out / TOKENS_FILE} was written")
    return Material(pictures, tokens, pool, packer)


@torch.no_grad()
def judge_on_pictures(
    model: SemanticModel,
    stack: Stack,
    material: Material,
    snr_db: float | None,
    rows: int,
    erase: bool = False,
) -> dict[str, float]:
    """Shares of traces and answers that are right to the last word, by family, on pictures for choosing.

    Reviews too, where the material has some. Through AWGN of one SNR, or (None) without a channel.
    """
    hits, totals = Counter[str](), Counter[str]()
    amount = min(DEV_PICTURES, len(material.pictures.scenes))
    for start in range(0, amount - rows + 1, rows):
        chosen = range(start, start + rows)
        rngs = [np.random.default_rng([1_000_003, row]) for row in chosen]
        scenes, packer = material.scenes(chosen), material.packer
        batches = [packer.questions(*scenes, rngs), packer.captions(*scenes)]
        if len(material.reviews):
            batches.append(packer.reviews([material.reviews.fill(rng, packer, NONE_DROPPED) for rng in rngs]))
        for batch in batches:
            uses = model.config.uses_per_token
            air = None if snr_db is None else fixed_air(batch, rngs, uses, snr_db, erase)
            nowhere = torch.zeros(rows, dtype=torch.bool)
            with mixed():
                image = model.projector(material.seen(chosen)) if batch.has_image else None
                out = stack.run(batch, image, nowhere, air, model.config.split_layer)
                _, right = stack.answer_loss(batch, out)
            for family, (hit, total) in exact(batch, right).items():
                hits[family] += hit
                totals[family] += total
    return shares(hits, totals)
