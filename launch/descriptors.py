"""Waiting for file descriptors, also such as are beyond what `select` can take (1,024)."""

import math
import select
from collections.abc import Iterable


def readable(descriptors: Iterable[int], timeout_s: float | None = None) -> list[int]:
    """Those that can be read, or have ended, as soon as there is one; none after `timeout_s` seconds."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    timeout_ms = None if timeout_s is None else max(0, math.ceil(1e3 * timeout_s))
    return [descriptor for descriptor, _ in poll.poll(timeout_ms)]
