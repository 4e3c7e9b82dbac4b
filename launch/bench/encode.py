"""The base station's encoding of a group, beside one forward per user through the same model.

Both begin with PNG files and end with tokens at the split. One forward per user shares nothing: the vision
tower, the projector and the layers below the split run for every request by itself.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from basestation.encode import AdmittedRequest, encode_group
from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.pictures import as_png, draw_pictures
from launch.bench.timing import interleaved, rate_line
from shared.config import LimitsConfig
from shared.semantic.bundle import Bundle
from shared.semantic.sender import SemanticSender
from shared.shipped import bundle_folder

TRIPLE = Target("ratio", 3.0, "at least")
CLOSE = 1e-4
"""Largest difference of a token's value between a batch and a request alone, relative to the largest."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Users of a group, and how many images they ask about between them."""

    users: int = 16
    images: tuple[int, ...] = (4, 16)
    least_s: float = 0.02


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Requests a second."""
    sender = SemanticSender(Bundle.load(bundle_folder("micro"), "sender"))
    limits = LimitsConfig()
    lines = []
    for images in sizes.images:
        group = requests(sizes.users, images, order.seed)
        works = {
            "group": lambda group=group: encode_group(group, sender, limits),
            "each": lambda group=group: [encode_group([one], sender, limits)[0] for one in group],
        }
        apart = max(
            float(np.abs(a.text_ND - b.text_ND).max() / np.abs(b.text_ND).max())
            for a, b in zip(works["group"](), works["each"](), strict=True)
        )
        seconds = interleaved(works, order.rounds, least_s=sizes.least_s)
        lines.append(
            rate_line(
                f"encode.{sizes.users}over{images}",
                f"encoding, {sizes.users} users over {images} images",
                "requests/s",
                sizes.users,
                seconds["group"],
                "one forward per user",
                seconds["each"],
                target=TRIPLE if images < sizes.users else None,
                note="same tokens" if apart < CLOSE else f"tokens differ by {apart:.1e} of the largest",
            )
        )
    return lines


def requests(users: int, images: int, seed: int) -> list[AdmittedRequest]:
    """Users take turns with the images; every user asks something else."""
    files = [as_png(picture) for picture in draw_pictures(images, seed)]
    keys = [hashlib.sha256(file).hexdigest() for file in files]
    return [
        AdmittedRequest(
            request_id=f"r{user:06d}",
            user=user,
            task="vqa",
            text=f"how many large metal cubes are there beside the {user} small spheres ?",
            image=files[user % images],
            image_key=keys[user % images],
        )
        for user in range(users)
    ]
