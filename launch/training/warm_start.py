"""A finished bundle's weights as what the phases begin with, in place of random ones.

Its tower, projector and language model go on from where they are. The channel codec begins anew, and so do
the training's own heads; symbolic scenes begin as what the bundle makes of pictures of such scenes.

Shapes: B pictures, N patches, D token width, F symbolic features.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch

from launch.errors import LaunchError
from launch.training.hints import Scaffold
from launch.training.images import Pictures, load_pictures
from launch.training.material import see
from launch.training.scenes import features
from shared.semantic.bundle import Bundle
from shared.semantic.config import SemanticConfig
from shared.semantic.model import SemanticModel
from shared.semantic.tokenizer import TextCodec

PICTURES: Final = 400
RIDGE: Final = 1e-3
"""Of the normal equations: features that no picture varies stay at nothing."""
TOWER: Final = ("intermediate", "layers", "heads", "stem")
"""Sizes inside the vision tower, which nothing outside it depends on."""


def started_sizes(start: Path, config: SemanticConfig) -> SemanticConfig:
    """`config` with the vision tower that the bundle has, for a run that goes on from it.

    How its code shares power and where it is cut may be otherwise than in `config`: the channel codec begins
    anew. Raises `BundleError`, or `LaunchError` for a bundle of other sizes than those that are trained.
    """
    found = Bundle.load(start).config
    tower = {field: getattr(config.vision, field) for field in TOWER}
    anew = {"power": config.power, "split_layer": config.split_layer}
    if found.model_copy(update={**anew, "vision": found.vision.model_copy(update=tower)}) != config:
        raise LaunchError(f"--from {start}: config.json: expected the sizes of {config.name!r}, found others")
    return config.model_copy(update={"vision": found.vision})


def started_model(start: Path) -> tuple[SemanticModel, TextCodec]:
    """The bundle's model in float32, and its tokenizer. Raises `BundleError`."""
    bundle = Bundle.load(start)
    return bundle.model("all", dtype=torch.float32), bundle.text_codec


def start_language(model: SemanticModel, scaffold: Scaffold, start: SemanticModel, data: Path) -> None:
    """The bundle's language model, and symbolic scenes that look to it like pictures."""
    model.llm.load_state_dict(start.llm.state_dict())
    pictures = load_pictures(data, start.config.vision.image_size, "train", limit=PICTURES)
    start_symbols(scaffold, start, pictures)


@torch.no_grad()
def start_symbols(scaffold: Scaffold, start: SemanticModel, pictures: Pictures) -> None:
    """Least squares from symbolic features to the image tokens of the same scenes' pictures."""
    seen = torch.from_numpy(see(start.vision, pictures).astype(np.float32))
    places_ND = start.llm.model.embed_tokens(scaffold.pointers_N)
    wanted_MD = (start.projector(seen) - scaffold.gain * places_ND).flatten(0, 1)
    symbols_MF = torch.from_numpy(np.stack([features(where) for where in pictures.patches])).flatten(0, 1)
    given_MG = torch.cat([symbols_MF, torch.ones(len(symbols_MF), 1)], 1)
    normal_GG = given_MG.T @ given_MG + RIDGE * len(given_MG) * torch.eye(given_MG.shape[1])
    solved_GD = torch.linalg.solve(normal_GG, given_MG.T @ wanted_MD)
    scaffold.symbols.weight.copy_(solved_GD[:-1].T)
    assert scaffold.symbols.bias is not None
    scaffold.symbols.bias.copy_(solved_GD[-1])
