"""A process gets at most a share of one core: whenever it has used more, it is stopped until it has not.

The idea is cpulimit's: let it run for `ran` seconds, in which it used so much CPU time, then stop it for
`used / share - ran`. Needs no rights and no cgroup. One that sleeps is not stopped; threads count together.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable

PERIOD_S = 0.1
"""Running and standing still, of a process that would use a whole core."""


async def throttle(pid: int, cpu_share: float, for_s: float, send: Callable[[int], None]) -> None:
    """Return after `for_s`, when the process has ended, or when cancelled: in each case it runs again.

    `send` sends a signal to the process, and does nothing where it has ended.
    """
    began_s = time.monotonic()
    end_s = began_s + for_s
    with contextlib.suppress(ProcessLookupError):
        used_s = cpu_time_s(pid)
        while (left_s := end_s - time.monotonic()) > 0:
            await asyncio.sleep(min(left_s, cpu_share * PERIOD_S))
            send(signal.SIGSTOP)
            try:
                used_s, before_s = cpu_time_s(pid), used_s
                began_s = max(time.monotonic(), began_s + (used_s - before_s) / cpu_share)
                await asyncio.sleep(min(began_s, end_s) - time.monotonic())
            finally:
                send(signal.SIGCONT)


def cpu_time_s(pid: int) -> float:
    """CPU time of all threads of a process. Raises `ProcessLookupError`."""
    clock = ~pid << 3 | 2  # what clock_getcpuclockid(3) gives, which Python lacks
    try:
        return time.clock_gettime(clock)
    except OSError:
        raise ProcessLookupError(pid) from None
