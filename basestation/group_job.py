"""The work on one group that runs off the network loop: judge the images, then the pipeline.

Judging an image means decoding it, which takes too long for the loop; so a request with a bad image is
refused when the job comes back, and the others of its group go on without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from basestation.image_door import BadInput, check_image
from basestation.pipeline import AdmittedRequest, GroupPlan
from shared.config import LimitsConfig


class Pipeline(Protocol):
    """The sender half of a scheme."""

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan: ...


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """`refused` names requests with a bad image and the reason; `plan` is None when none was left."""

    plan: GroupPlan | None
    refused: dict[str, str]


def run_group(
    pipeline: Pipeline, group_id: int, requests: Sequence[AdmittedRequest], limits: LimitsConfig
) -> GroupOutcome:
    """Raises what the pipeline raises."""
    verdicts: dict[str, str | None] = {}
    refused: dict[str, str] = {}
    accepted: list[AdmittedRequest] = []
    for request in requests:
        if request.image is not None and request.image_key is not None:
            if request.image_key not in verdicts:
                verdicts[request.image_key] = _fault_of(request.image, limits)
            fault = verdicts[request.image_key]
            if fault is not None:
                refused[request.request_id] = f"bad_input: {fault}"
                continue
        accepted.append(request)
    plan = pipeline.run(group_id, accepted) if accepted else None
    return GroupOutcome(plan, refused)


def _fault_of(image: bytes, limits: LimitsConfig) -> str | None:
    try:
        check_image(image, limits)
    except BadInput as error:
        return str(error)
    return None
