"""What a source of pictures offers to a workload."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from launch.datasets.choose import Chosen
from launch.datasets.clevr_style.offers import check_families
from launch.datasets.clevr_style.questions import Family
from launch.datasets.errors import DatasetError
from shared.config import WorkloadConfig
from shared.config_file import ConfigError


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


def families_of(config: WorkloadConfig) -> tuple[Family, ...]:
    """The question families that a workload asks for. Raises `ConfigError`."""
    try:
        return check_families(config.families)
    except DatasetError as error:
        raise ConfigError(f"workload.{error}") from None
