"""Negative controls in memory: builds with one defect each are found out, the same runs without are valid."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from basestation.pipeline import GroupPipeline
from basestation.process import warm_up
from basestation.workload_file import WorkloadRequest
from launch.verdict import Verdict
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from tests.broken import (
    answers_twice,
    ends_twice,
    forgets_requests,
    misses_retransmissions,
    refers_elsewhere,
    stale_cache,
)
from tests.simulation.counted_world import CountedWorld
from tests.simulation.settings import IMAGES, config, workload
from userequipment.pipeline import RequestPipeline

N = 9
LOSS = {"fault": "loss", "probability": 0.3, "at_s": 0.01, "classes": ["public", "private"]}
COPIES = {"fault": "duplicate", "probability": 0.5, "at_s": 0.01, "direction": "up", "classes": ["feedback"]}
Defect = AbstractContextManager[None]
Settle = Callable[[CountedWorld], Verdict]


@pytest.fixture
def settle() -> Iterator[Settle]:
    """Runs a world to its end; its verdict."""
    worlds: list[CountedWorld] = []

    def run(world: CountedWorld) -> Verdict:
        worlds.append(world)
        world.finish()
        return world.verdict()

    yield run
    for world in worlds:
        world.close()


def world_of(folder: Path, *faults: dict[str, Any]) -> CountedWorld:
    channel = {"model": "ideal", "sample_format": "cf32", "faults": faults}
    return CountedWorld(folder, config(channel=channel, seed=7), workload(N), images=IMAGES)


def caching_world(folder: Path, bundle: Bundle) -> CountedWorld:
    """One user with room for one image asks twice about each of three."""
    found = parse_config(
        {
            "users": 1,
            "max_group": 1,
            "cache": {"images": 1},
            "channel": {"snr_db": 15.0},
            "max_new_tokens": 2,
        },
        "test",
    )
    asked = [WorkloadRequest(i, 0.1 * i, 0, "vqa", f"question {i}", "ab"[i // 2 % 2]) for i in range(6)]
    sender, receiver = SemanticSender(bundle), SemanticReceiver(bundle)
    pipeline = GroupPipeline(found, sender, clock=lambda: 0.0)
    warm_up(pipeline)
    return CountedWorld(
        folder,
        found,
        asked,
        images=IMAGES,
        sender=pipeline,
        receiver=RequestPipeline(found, receiver, clock=lambda: 0.0),
    )


def at_bs() -> Defect:
    return misses_retransmissions.defect(lambda key: key.end == "bs")


@pytest.mark.parametrize(
    ("fault", "defect", "words"),
    [
        (LOSS, answers_twice.defect, "changed answer: r000000: the UE's answer is not one that came again"),
        (COPIES, ends_twice.defect, "has 2 terminal states (ok, ok)"),
        (LOSS, forgets_requests.defect, "lost request: r000003 of user 0 has no terminal state"),
        (LOSS, at_bs, "ledger ends differ: bs-ce down private retransmission"),
    ],
)
def test_a_defect_is_found_out(
    tmp_path: Path, settle: Settle, fault: dict[str, Any], defect: Callable[[], Defect], words: str
) -> None:
    for name, build, state in (("whole", nullcontext(), "valid"), ("broken", defect(), "invalid")):
        with build:
            verdict = settle(world_of(tmp_path / name, fault))
        assert verdict.state == state, verdict.findings
        assert any(words in finding for finding in verdict.findings) == (state == "invalid")


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        (stale_cache.defect, "token mismatch: r000003"),
        (refers_elsewhere.defect, "stale image: r000002 refers to what 0:r000000 brought, another image"),
    ],
)
def test_a_stale_image_is_found_out(
    tmp_path: Path, settle: Settle, bundle: Bundle, defect: Callable[[], Defect], words: str
) -> None:
    for name, build, state in (("whole", nullcontext(), "valid"), ("broken", defect(), "invalid")):
        with build:
            verdict = settle(caching_world(tmp_path / name, bundle))
        assert verdict.state == state, verdict.findings
        assert any(words in finding for finding in verdict.findings) == (state == "invalid")
