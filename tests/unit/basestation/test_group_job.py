"""What is done with a group off the loop: every file is opened once, and a bad one costs its own requests."""

import hashlib
import io
from collections.abc import Sequence
from itertools import count

import numpy as np
import pytest
from PIL import Image

from basestation import group_job
from basestation.group_job import STAGE, run_group
from basestation.pipeline import AdmittedRequest, GroupPlan
from shared.config import LimitsConfig
from tests.simulation.stand_ins import StandInGroupPipeline

LIMITS = LimitsConfig()
CLOCK = count().__next__
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


def request(name: str, image: bytes | None) -> AdmittedRequest:
    key = None if image is None else hashlib.sha256(image).hexdigest()
    return AdmittedRequest(name, 0, "vqa", "how many", image, key)


@pytest.fixture
def picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    return file.getvalue()


class Seeing(StandInGroupPipeline):
    """Keeps what it was given."""

    seen: Sequence[AdmittedRequest] = ()

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        self.seen = requests
        return super().run(group_id, requests)


def test_a_file_of_several_requests_is_opened_once_and_its_pixels_go_on(
    picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = group_job.decode_image
    monkeypatch.setattr(group_job, "decode_image", lambda *args: opened.append(args) or real(*args))
    pipeline = Seeing()
    asked = [request("a", picture), request("words", None), request("b", picture)]
    outcome = run_group(pipeline, 0, asked, LIMITS, count().__next__)
    assert len(opened) == 1
    assert [r.request_id for r in pipeline.seen] == ["a", "words", "b"]
    for seen in pipeline.seen[::2]:
        assert np.array_equal(seen.picture(LIMITS), PIXELS)
    assert outcome.plan is not None
    assert next(iter(outcome.plan.stage_ms.items())) == (STAGE, 1e3)
    assert not outcome.refused


def test_a_bad_file_costs_its_own_requests_alone(picture: bytes) -> None:
    bad = picture[: len(picture) // 2]
    outcome = run_group(
        Seeing(), 0, [request("a", bad), request("b", picture), request("c", bad)], LIMITS, CLOCK
    )
    assert sorted(outcome.refused) == ["a", "c"]
    assert all(reason.startswith("bad_input: image: ") for reason in outcome.refused.values())
    assert outcome.plan is not None
    assert list(outcome.plan.digests) == ["b"]


def test_with_nothing_left_there_is_no_plan() -> None:
    pipeline = Seeing()
    outcome = run_group(pipeline, 0, [request("a", b"no picture")], LIMITS, CLOCK)
    assert outcome.plan is None
    assert not pipeline.seen
