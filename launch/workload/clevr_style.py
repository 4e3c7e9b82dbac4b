"""Rendered scenes for a run: read from the data folder, rendered into it when they are not there yet."""

import contextlib
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.datasets.choose import Chosen, choose
from launch.datasets.clevr_style.build import build, iter_ready
from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.offers import SceneQuestions
from launch.datasets.clevr_style.questions import Family
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.errors import DatasetError
from launch.workload.pictures import families_of
from shared.config import RunConfig, WorkloadConfig
from shared.config_file import ConfigError

DATA_SEED = 0
"""Scenes are a function of (this seed, split, index); a run's `seed` chooses among them."""

Progress = Callable[[str], None]


@dataclass
class RenderedPictures:
    """Rendered scenes; questions are written on their graphs."""

    root: Path
    scenes: Sequence[Scene]
    paths: Sequence[Path]
    families: Sequence[Family]

    def questions(self, numbers: Sequence[int], rnd: random.Random) -> list[Chosen]:
        offer = SceneQuestions(self.scenes, self.families, rnd).offer
        return choose(numbers, self.families, offer, rnd, str(self.root))

    def caption(self, number: int) -> str:
        return caption(self.scenes[number])


def pictures(config: RunConfig, count: int, progress: Progress) -> RenderedPictures:
    """The first `count` scenes of the configured split. Raises `ConfigError`."""
    families = families_of(config.workload)
    found = scenes_for(config.workload, count, progress)
    return RenderedPictures(
        data_folder(config.workload), [s for s, _ in found], [p for _, p in found], families
    )


def data_folder(config: WorkloadConfig) -> Path:
    """`workload.root`, else `clevr-style-<split>` in $M4SC_DATA_DIR, else in ./data."""
    if config.root is not None:
        return Path(config.root).expanduser()
    return Path(os.environ.get("M4SC_DATA_DIR") or "data") / f"clevr-style-{config.split}"


def scenes_for(config: WorkloadConfig, count: int, progress: Progress) -> list[tuple[Scene, Path]]:
    """Scenes 0 .. count - 1 of the split with their images; missing ones are rendered.

    Raises:
        ConfigError: the folder holds another data set or cannot be written, or the renderer is missing.
    """
    root = data_folder(config)
    ready = _ready(root, count)
    if len(ready) < count:
        progress(f"rendering {count - len(ready)} scenes of split {config.split!r} into {root}")
        _render(root, config.split, count)
        ready = _ready(root, count)
    if len(ready) < count:
        raise ConfigError(f"{root}: {len(ready)} of {count} scenes after rendering")
    return [ready[index] for index in range(count)]


def _ready(root: Path, count: int) -> dict[int, tuple[Scene, Path]]:
    try:
        return {
            scene["image_index"]: (scene, path)
            for scene, path in iter_ready(root)
            if scene["image_index"] < count
        }
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{root}: cannot be read as a data set ({' '.join(str(error).split())})") from None


def _render(root: Path, split: str, count: int) -> None:
    try:
        # The renderer's progress bar goes to the terminal beside the results, not into them. Two runs that
        # need the same scenes render them one after the other.
        with contextlib.redirect_stdout(sys.stderr):
            workers = max(1, min(os.cpu_count() or 1, 16))
            build(root, split, count, seed=DATA_SEED, workers=workers, wait=True)
    except ImportError as error:
        raise ConfigError(
            f"workload: the scenes in {root} have to be rendered, and {error.name} is not installed: "
            "pip install 'm4sc[train]'"
        ) from None
    except DatasetError as error:
        raise ConfigError(str(error)) from None
    except OSError as error:
        raise ConfigError(f"{root}: cannot be written ({error.strerror})") from None
