"""Balanced sets of questions on many scenes, as a data set holds them."""

import random
from collections.abc import Sequence
from typing import cast

from launch.datasets.choose import choose_some
from launch.datasets.clevr_style.offers import SceneQuestions
from launch.datasets.clevr_style.programs import Kind
from launch.datasets.clevr_style.questions import Family, Question
from launch.datasets.clevr_style.scene import Scene


def balanced_questions(
    scenes: Sequence[Scene], seed: int, per_scene: int, families: Sequence[Family] = ("zero_hop",)
) -> list[Question]:
    """`per_scene` different questions on each scene, in scene order, balanced as `choose` says.

    A scene that does not offer so many gets fewer. The same arguments give the same questions.
    """
    rnd = random.Random(f"{seed}/{'+'.join(families)}")
    numbers = [number for number in range(len(scenes)) for _ in range(per_scene)]
    rnd.shuffle(numbers)  # else the last scenes would get what is left
    chosen = choose_some(numbers, families, SceneQuestions(scenes, families, rnd).offer, rnd)
    paired = sorted(zip(numbers, chosen, strict=True), key=lambda pair: pair[0])
    return [
        Question(
            scenes[number]["image_filename"],
            found.question,
            found.answer,
            cast(Kind, found.kind),
            cast(Family, found.family),
            found.program,
        )
        for number, found in paired
        if found is not None
    ]
