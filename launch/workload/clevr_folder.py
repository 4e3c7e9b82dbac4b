"""CLEVR at a folder, real or rendered: questions on its scene graphs, or its questions file.

By default balanced questions are written on the scene graphs; with `workload.questions: file` they come from
the questions file, on pictures that have `questions_per_image` of them: balanced as far as the file allows; a
picture that offers nothing wanted gives what it has.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from launch.datasets.choose import ANYTHING, Cell, Chosen, choose
from launch.datasets.clevr_folder import find_layout, read_captions, read_questions, read_scenes
from launch.datasets.clevr_style.offers import SceneQuestions
from launch.datasets.clevr_style.questions import Family
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.sample import Sample
from launch.workload.pictures import families_of
from shared.config import RunConfig
from shared.config_file import ConfigError


@dataclass
class FolderPictures:
    """Pictures of a folder. `offered` holds the questions of a file, `captions` the captions by path.

    `source` is what pictures and questions come from, for people.
    """

    source: Path
    paths: Sequence[Path]
    families: Sequence[Family] = ()
    offered: dict[int, list[Sample]] = field(default_factory=dict)
    graphs: Sequence[Scene] | None = None
    captions: dict[Path, str] = field(default_factory=dict)

    def questions(self, numbers: Sequence[int], rnd: random.Random) -> list[Chosen]:
        """Out of the questions file if there is one, else written on the scene graphs."""
        if self.graphs is not None:
            offer = SceneQuestions(self.graphs, self.families, rnd).offer
            return choose(numbers, self.families, offer, rnd, str(self.source))
        for number in sorted(self.offered):
            rnd.shuffle(self.offered[number])
        return choose(numbers, self.families, self._offer, rnd, str(self.source))

    def caption(self, number: int) -> str:
        text = self.captions.get(self.paths[number])
        if text is None:
            raise ConfigError(
                f"{self.source}: no scene graph for {self.paths[number].name}, captions need one"
            )
        return text

    def _offer(self, picture: int, cell: Cell, before: frozenset[str]) -> Chosen | None:
        for sample in self.offered.get(picture, ()):
            family, kind, answer = cell
            fits = sample.family == family and sample.kind == kind and answer in ("", sample.answer)
            wanted = cell == ANYTHING or fits
            if wanted and sample.sample_id not in before:
                return Chosen(sample.text, sample.answer, sample.kind, sample.family, sample.sample_id)
        return None


def pictures(root: Path, config: RunConfig) -> FolderPictures:
    """Read a folder; `workload.limit` takes its first pictures only. Raises `ConfigError`, `DatasetError`."""
    workload = config.workload
    families, limit, split = families_of(workload), workload.limit, workload.split
    layout = find_layout(root, split)
    captions = read_captions(root, split=split) if "caption" in workload.tasks else []
    caption_of = {sample.image: sample.answer for sample in captions if sample.image is not None}
    if "vqa" not in workload.tasks:
        return FolderPictures(root, list(caption_of)[:limit], captions=caption_of)
    if workload.questions == "written":
        graphs = read_scenes(root, split)[:limit]
        paths = [layout.images / scene["image_filename"] for scene in graphs]
        for path in paths:
            if not path.is_file():
                raise ConfigError(f"{path}: no such image, but {layout.scenes.name} names it")
        return FolderPictures(root, paths, families, graphs=graphs, captions=caption_of)
    samples = read_questions(root, families, split=split)
    if not samples:
        raise ConfigError(f"{layout.questions}: no questions of {', '.join(families)}")
    by_path: dict[Path, list[Sample]] = {}
    for sample in samples:
        if sample.image is not None:
            by_path.setdefault(sample.image, []).append(sample)
    per_image = workload.questions_per_image
    rich = [path for path, offered in by_path.items() if len(offered) >= per_image][:limit]
    if not rich:
        raise ConfigError(
            f"workload.questions_per_image: no picture of {layout.questions} has {per_image} questions"
        )
    offered = {number: by_path[path] for number, path in enumerate(rich)}
    return FolderPictures(layout.questions, rich, families, offered, captions=caption_of)
