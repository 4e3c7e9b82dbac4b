"""Who asks when, and about which picture: pure arithmetic on a seed.

Time runs in rounds; in each, every user asks once. `overlap` is the fraction of users that ask about one
common image in a round (rounded to a number of users; one user alone shares nothing). Every user, and the
common group, keeps an image until `questions_per_image` requests were made about it. With Poisson arrivals
there are no rounds: each request comes by itself, from any user.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from launch.workload.arrivals import times_s
from shared.rng import generator

VIRTUAL_ROUND_S = 1.0
"""Rounds lie this far apart when arrivals are virtual: farther than any window of a group reaches."""

IMAGE_TASKS = ("vqa", "caption")


@dataclass(frozen=True, slots=True)
class Slot:
    """One request to be filled in. `image` numbers the pictures of the run from 0; None: a text task."""

    index: int
    arrival_s: float
    user: int
    task: str
    image: int | None


class _Lane:
    """A picture that is kept until it was asked about often enough, or a user would caption it again."""

    def __init__(self, per_image: int) -> None:
        self._per_image = per_image
        self._image: int | None = None
        self._asked = 0
        self._captioned: set[int] = set()

    def image_for(self, round_of: Sequence[tuple[int, str]], fresh: int) -> int:
        """The picture for the (user, task) pairs of one round; `fresh` is the number of an unused one."""
        again = any(task == "caption" and user in self._captioned for user, task in round_of)
        if self._image is None or self._asked >= self._per_image or again:
            self._image, self._asked, self._captioned = fresh, 0, set()
        self._asked += len(round_of)
        self._captioned |= {user for user, task in round_of if task == "caption"}
        return self._image


def plan(
    requests: int,
    users: int,
    overlap: float,
    tasks: Sequence[str],
    questions_per_image: int,
    seed: int,
    rates_per_s: Sequence[float] = (),
) -> list[Slot]:
    """`requests` slots in order of arrival. Tasks go round users and rounds, so all come equally often.

    With `rates_per_s` (`arrivals`) the rounds have the distance that gives these rates on average, else
    `VIRTUAL_ROUND_S`.
    """
    starts = range(0, requests, users)
    begins_s = (
        times_s(starts, rates_per_s, requests)
        if rates_per_s
        else [VIRTUAL_ROUND_S * n for n in range(len(starts))]
    )
    n_sharing = round(overlap * users)
    common = _Lane(questions_per_image)
    own = [_Lane(questions_per_image) for _ in range(users)]
    rng = generator(seed, "workload", "sharing users")
    slots: list[Slot] = []
    images = 0
    for number, begin_s in enumerate(begins_s):
        present = range(min(users, requests - number * users))
        sharing = set(rng.permutation(users)[:n_sharing].tolist()) if n_sharing >= 2 else set()
        task_of = {user: tasks[(user + number) % len(tasks)] for user in present}
        looking = [(user, task_of[user]) for user in present if task_of[user] in IMAGE_TASKS]
        together = [pair for pair in looking if pair[0] in sharing]
        image_of: dict[int, int] = {}
        if together:
            shared_image = common.image_for(together, images)
            images = max(images, shared_image + 1)
            image_of = {user: shared_image for user, _ in together}
        for pair in looking:
            if pair[0] not in image_of:
                image_of[pair[0]] = own[pair[0]].image_for([pair], images)
                images = max(images, image_of[pair[0]] + 1)
        slots += [
            Slot(len(slots) + place, begin_s, user, task_of[user], image_of.get(user))
            for place, user in enumerate(present)
        ]
    return slots


def poisson_plan(
    requests: int,
    users: int,
    tasks: Sequence[str],
    questions_per_image: int,
    seed: int,
    rates_per_s: Sequence[float],
) -> list[Slot]:
    """`requests` slots of a Poisson process at `rates_per_s` (`arrivals`), each of a user drawn by itself.

    So every user's own arrivals are a Poisson process too.
    """
    rng = generator(seed, "workload", "arrivals")
    arrivals_s = times_s(np.cumsum(rng.exponential(size=requests)), rates_per_s, requests)
    lanes = [_Lane(questions_per_image) for _ in range(users)]
    asked = [0] * users
    slots: list[Slot] = []
    images = 0
    for arrival_s, user in zip(arrivals_s, rng.integers(users, size=requests).tolist(), strict=True):
        task = tasks[(user + asked[user]) % len(tasks)]
        asked[user] += 1
        image = lanes[user].image_for([(user, task)], images) if task in IMAGE_TASKS else None
        images = images if image is None else max(images, image + 1)
        slots.append(Slot(len(slots), arrival_s, user, task, image))
    return slots


def image_count(slots: Sequence[Slot]) -> int:
    """How many different pictures the slots need."""
    return max((slot.image for slot in slots if slot.image is not None), default=-1) + 1


def places(slots: Sequence[Slot], pictures: int) -> dict[int, int]:
    """Which of `pictures` each image of the plan is: one of its own, or, where they run out, the one asked
    about least so far. So nowhere are more questions asked about one picture than need be."""
    asked = Counter(slot.image for slot in slots if slot.image is not None)
    load = [0] * pictures
    found: dict[int, int] = {}
    for image in sorted(asked):
        found[image] = image if image < pictures else load.index(min(load))
        load[found[image]] += asked[image]
    return found
