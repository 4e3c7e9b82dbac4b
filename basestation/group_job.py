"""The work on one group that runs off the network loop: judge the images, then the pipeline.

Judging an image means decoding it, which takes too long for the loop; so a request with a bad image is
refused when the job comes back, and the others of its group go on without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from basestation.image_door import BadInput, decode_image
from basestation.pipeline import AdmittedRequest, GroupPlan
from shared.config import LimitsConfig

STAGE = "open_image"
"""Files to pixels, in a group's stage times."""


class Pipeline(Protocol):
    """The sender half of a scheme."""

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan: ...


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """`refused` names requests with a bad image and the reason; `plan` is None when none was left."""

    plan: GroupPlan | None
    refused: dict[str, str]


def run_group(
    pipeline: Pipeline,
    group_id: int,
    requests: Sequence[AdmittedRequest],
    limits: LimitsConfig,
    clock: Callable[[], float],
) -> GroupOutcome:
    """Raises what the pipeline raises."""
    began_s = clock()
    opened: dict[str, np.ndarray | BadInput] = {}
    refused: dict[str, str] = {}
    accepted: list[AdmittedRequest] = []
    for request in requests:
        if request.image is None or request.image_key is None:
            accepted.append(request)
            continue
        if request.image_key not in opened:
            opened[request.image_key] = _open(request.image, limits)
        found = opened[request.image_key]
        if isinstance(found, BadInput):
            refused[request.request_id] = f"bad_input: {found}"
        else:
            accepted.append(replace(request, pixels_HWC=found))
    if not accepted:
        return GroupOutcome(None, refused)
    open_ms = 1e3 * (clock() - began_s)
    plan = pipeline.run(group_id, accepted)
    return GroupOutcome(replace(plan, stage_ms={STAGE: open_ms} | plan.stage_ms), refused)


def _open(image: bytes, limits: LimitsConfig) -> np.ndarray | BadInput:
    """Pixels, or what is wrong with the file."""
    try:
        return decode_image(image, limits)
    except BadInput as error:
        return error
