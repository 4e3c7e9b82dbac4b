"""Small runs for the simulation tests."""

import hashlib
import io
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from basestation.workload_file import WorkloadRequest
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.wire.messages import Message


def png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


IMAGES = {"a": png(0), "b": png(1)}
KEYS = {name: hashlib.sha256(data).hexdigest() for name, data in IMAGES.items()}


def config(users: int = 3, **changes: Any) -> RunConfig:
    channel = {"model": "ideal", "sample_format": "cf32"}
    return parse_config({"users": users, "max_group": users, "channel": channel} | changes, "test")


def workload(requests: int, users: int = 3) -> list[WorkloadRequest]:
    """Round robin over users; two of three requests of a group share an image."""
    return [
        WorkloadRequest(i, 0.0, i % users, "vqa", f"question {i}", "b" if i % 3 == 2 else "a")
        for i in range(requests)
    ]


def questions(requests: int, users: int = 3) -> dict[str, tuple[str, str | None]]:
    """request_id -> (text, image key) of `workload`, as ids follow the order of intake."""
    return {
        f"r{w.index:06d}": (w.text, None if w.image is None else KEYS[w.image])
        for w in workload(requests, users)
    }


@dataclass
class RandomMischief:
    """Losses, copies and delays by a seeded generator."""

    seed: int
    loss: float = 0.0
    copies: float = 0.0
    delays: float = 0.0
    delay_s: float = 0.2

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __call__(self, message: Message, to: str, now_s: float) -> list[float]:
        draw = self._random.random
        if draw() < self.loss:
            return []
        n = 2 if draw() < self.copies else 1
        return [self.delay_s * draw() if draw() < self.delays else 0.0 for _ in range(n)]


class Lose:
    """Loses the first `times` messages of one kind (for one receiver), nothing else."""

    def __init__(self, kind: type[Message], times: int = 1, to: str | None = None, **fields: object) -> None:
        self._kind, self.left, self._to, self._fields = kind, times, to, fields

    def __call__(self, message: Message, to: str, now_s: float) -> list[float]:
        hit = isinstance(message, self._kind) and self._to in (None, to) and self.left > 0
        if hit and all(getattr(message, k) == v for k, v in self._fields.items()):
            self.left -= 1
            return []
        return [0.0]
