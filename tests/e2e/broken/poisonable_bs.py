"""A base station whose process ends when a question about poison is encoded."""

import os
import signal
from collections.abc import Sequence

from basestation import process
from basestation.pipeline import AdmittedRequest, GroupPipeline, GroupPlan
from basestation.schemes import m4sc
from shared.spec import RoleSpec


class PoisonablePipeline(GroupPipeline):
    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        if any("poison" in request.text for request in requests):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().run(group_id, requests)


def main(spec: RoleSpec) -> int:
    m4sc.GroupPipeline = PoisonablePipeline  # type: ignore[misc]
    return process.main(spec)
