"""Movie reviews to classify: as many positive as negative ones, none over the text limit."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch.datasets.imdb import ANSWERS, read_reviews
from launch.datasets.sample import Sample
from launch.workload.plan import Slot
from shared.config import ConfigError, RunConfig
from shared.rng import derive_seed


def fill(path: Path, slots: Sequence[Slot], config: RunConfig) -> list[dict[str, Any]]:
    """A review for every slot; reviews above `limits.text_chars` are left out, never cut.

    Raises:
        ConfigError: too few reviews. DatasetError: the file is no review file.
    """
    by_answer: dict[str, list[Sample]] = {answer: [] for answer in ANSWERS.values()}
    for sample in read_reviews(path, config.workload.limit):
        if len(sample.text) <= config.limits.text_chars:
            by_answer[sample.answer].append(sample)
    rnd = random.Random(derive_seed(config.seed, "workload", "reviews"))
    # With an odd number of requests one answer comes once more: which, the seed decides.
    answers = rnd.sample(sorted(by_answer), len(by_answer))
    wanted = [answers[place % len(answers)] for place in range(len(slots))]
    rnd.shuffle(wanted)
    for answer, samples in by_answer.items():
        if len(samples) < wanted.count(answer):
            raise ConfigError(
                f"workload.requests: {path} offers {len(samples)} {answer} reviews of at most "
                f"{config.limits.text_chars} characters, {wanted.count(answer)} are needed"
            )
        rnd.shuffle(samples)
    return [_entry(slot, by_answer[answer].pop()) for slot, answer in zip(slots, wanted, strict=True)]


def _entry(slot: Slot, sample: Sample) -> dict[str, Any]:
    return {
        "index": slot.index,
        "arrival_s": slot.arrival_s,
        "user": slot.user,
        "task": sample.task,
        "text": sample.text,
        "image": None,
        "expected": sample.answer,
        "kind": sample.kind,
        "family": sample.family,
        "sample_id": sample.sample_id,
    }
