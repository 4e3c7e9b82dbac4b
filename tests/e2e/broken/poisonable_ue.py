"""A UE whose process ends when it decodes the request r000005."""

import os
import signal

from shared.spec import RoleSpec
from shared.wire.messages import SideInfo
from userequipment import process
from userequipment.channel_decode import Air
from userequipment.pipeline import Decoded, Frames, RequestPipeline
from userequipment.schemes import m4sc

POISON = "r000005"


class PoisonablePipeline(RequestPipeline):
    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded:
        if side.request_id == POISON:
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().run(side, frames, air)


def main(spec: RoleSpec) -> int:
    m4sc.RequestPipeline = PoisonablePipeline  # type: ignore[misc]
    return process.main(spec)
