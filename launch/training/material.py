"""What phases 1 to 3 draw from: rendered pictures as tokens of the vision tower, their scenes, and reviews.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension.

Shapes: B pictures, N patches, V vision width, F symbolic features.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from launch.training.forward import Air, answer_loss, run
from launch.training.images import Pictures, load_pictures
from launch.training.language import Reviews
from launch.training.packing import KINDS, Packer
from launch.training.scenes import features
from shared.semantic.masks import IMAGE
from shared.semantic.model import SemanticModel
from shared.semantic.siglip import to_pixels

TOKENS_FILE = "tokens.npz"
QUESTIONS = 12


@dataclass(slots=True)
class Material:
    """What a phase draws from. `tokens_BNV` are the vision tower's, float16."""

    pictures: Pictures
    tokens_BNV: np.ndarray
    symbols_BNF: np.ndarray
    reviews: Reviews
    packer: Packer


@torch.no_grad()
def see(model: SemanticModel, pictures: Pictures, batch: int = 64) -> np.ndarray:
    """The vision tower's tokens of all pictures, [B, N, V] float16."""
    rows = [
        model.vision(to_pixels(pictures.pixels_BSSC[i : i + batch])).half().numpy()
        for i in range(0, len(pictures), batch)
    ]
    return np.concatenate(rows)


def write_tokens(model: SemanticModel, data: Path, out: Path) -> None:
    """Run the vision tower over all finished pictures, once."""
    path = out / TOKENS_FILE
    held: dict[str, np.ndarray] = {}
    for part in ("train", "dev"):
        pictures = load_pictures(data, model.config.vision.image_size, part)
        held[part] = see(model, pictures)
        held[f"{part}_index"] = np.array([scene["image_index"] for scene in pictures.scenes])
    partial = path.with_suffix(".tmp.npz")
    np.savez(partial, allow_pickle=False, **held)
    partial.replace(path)


def load_material(packer: Packer, pool: Reviews, data: Path, out: Path, part: str) -> Material:
    with np.load(out / TOKENS_FILE) as file:
        tokens, indices = file[part], file[f"{part}_index"]
    pictures = load_pictures(data, None, part, indices=indices.tolist())
    if len(pictures.scenes) != len(tokens):
        raise FileNotFoundError(f"{data}: pictures are gone since {out / 'tokens.npz'} was written")
    symbols = np.stack([features(p) for p in pictures.patches])
    return Material(pictures, tokens, symbols, pool, packer)


@torch.no_grad()
def judge(
    model: SemanticModel, material: Material, snr_db: float | None, erase: bool = False
) -> dict[str, float]:
    """Quick accuracy on pictures kept for choosing, through AWGN of one SNR or (None) without a channel."""
    torch.manual_seed(7)
    rng, found = np.random.default_rng(7), dict.fromkeys(("exist", "count", "query"), (0, 0))
    for start in range(0, len(material.pictures), 32):
        rows = range(start, min(start + 32, len(material.pictures)))
        pictures = material.pictures
        batch = material.packer.questions(
            [pictures.scenes[r] for r in rows], [pictures.patches[r] for r in rows], rng, QUESTIONS
        )
        image = model.projector(torch.from_numpy(material.tokens_BNV[list(rows)]).float())
        nowhere = torch.zeros(len(rows), dtype=torch.bool)
        air = (
            None
            if snr_db is None
            else Air(
                torch.full((len(rows),), 10 ** (-snr_db / 10)),
                (batch.segments_BT == IMAGE) & erase,
                ~nowhere,
                nowhere,
            )
        )
        out = run(model, batch, image, nowhere, air, split_layer=model.config.split_layer)
        _, right = answer_loss(model, batch, out)
        first = (batch.weights_P == 1.0).nonzero()[:, 0]
        assert len(first) == len(batch.parse_QA)
        for kind, hit in zip(batch.parse_QA[:, -1].tolist(), right.tolist(), strict=True):
            group = KINDS[kind] if KINDS[kind] in found else "query"
            found[group] = found[group][0] + hit, found[group][1] + 1
    shares = {group: hits / total for group, (hits, total) in found.items()}
    return {**shares, "macro": sum(shares.values()) / len(shares)}
