"""Jobs run in order, and whatever one raises, the next one runs."""

import asyncio
import sys
from typing import Any

from shared.actions import Compute
from shared.compute_thread import ComputeThread


async def test_whatever_a_job_raises_is_its_result_and_the_next_one_runs() -> None:
    results: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    thread = ComputeThread(asyncio.get_running_loop(), lambda key, result: results.put_nowait((key, result)))

    def refuse() -> None:
        raise ValueError("no")

    try:
        for key, job in (("a", lambda: 1), ("b", refuse), ("c", sys.exit), ("d", lambda: 2)):
            thread.submit(Compute(key, job))
        got = dict([await results.get() for _ in range(4)])
        assert (got["a"], got["d"]) == (1, 2)
        assert isinstance(got["b"], ValueError)
        assert isinstance(got["c"], SystemExit)
    finally:
        thread.close(1.0)
