"""What a source of pictures offers to a workload."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from launch.workload.choose import Chosen


class Pictures(Protocol):
    """Numbered pictures with questions and captions."""

    @property
    def paths(self) -> Sequence[Path]:
        """The image file of each picture."""
        ...

    def questions(self, numbers: Sequence[int], rnd: random.Random) -> list[Chosen]:
        """One question for each of these picture numbers, balanced over all; raises `ConfigError`."""
        ...

    def caption(self, number: int) -> str:
        """The right caption; raises `ConfigError` where the source has none."""
        ...
