"""Movie reviews to classify: as many positive as negative ones, none over what a request may hold."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.datasets.imdb import ANSWERS, read_reviews
from launch.datasets.sample import Sample
from launch.workload.plan import Slot
from shared.config import RunConfig
from shared.config_file import ConfigError
from shared.rng import derive_seed
from shared.schemes import half, scheme_of
from shared.semantic.manifest import BundleError
from shared.shipped import bundle_folder


def fill(path: Path, slots: Sequence[Slot], config: RunConfig) -> list[dict[str, Any]]:
    """A review for every slot; those above `limits.text_chars` are left out, unless `workload.fit_text`.

    Raises:
        ConfigError: too few reviews. DatasetError: there are no reviews at `path`.
    """
    by_answer: dict[str, list[Sample]] = {answer: [] for answer in ANSWERS.values()}
    fit = _fitter(config) if config.workload.fit_text else None
    for sample in read_reviews(path, config.workload.limit, config.workload.split):
        if fit is not None:
            sample = replace(sample, text=fit(sample.text))
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


def _fitter(config: RunConfig) -> Callable[[str], str]:
    """Cuts a text to what the scheme's bundle accepts. Raises `ConfigError`."""
    # made here: only this reads a bundle before the roles do, and it takes a second
    make: Callable[[Path], Callable[[str], str]] = half(scheme_of(config.scheme).fitter)
    try:
        return make(bundle_folder(config.bundle))
    except BundleError as error:
        raise ConfigError(f"bundle: {error}") from None


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
