"""Several defects at once: each role with all that it can have."""

from contextlib import ExitStack

from shared.spec import RoleSpec
from tests.broken import answers_twice, forgets_requests, misses_retransmissions, stale_cache

DEFECTS = {
    "bs": (forgets_requests.defect,),
    "ce": (),
    "ue": (answers_twice.defect, stale_cache.defect),
}


def main(spec: RoleSpec) -> int:
    with ExitStack() as stack:
        for defect in DEFECTS[spec.role]:
            stack.enter_context(defect())
        return misses_retransmissions.main(spec)
