"""An input that raises, cut down to a smaller one that raises the same way at the same place."""

import time
from collections.abc import Callable

BUDGET_S = 20.0


def shrink(one_input: Callable[[bytes], None], data: bytes, budget_s: float = BUDGET_S) -> bytes:
    """Leave out pieces, halves first, as long as the fault stays what it is."""
    fault = _fault(one_input, data)
    deadline_s = time.monotonic() + budget_s
    size = len(data) // 2
    while fault is not None and size:
        at = 0
        while at < len(data) and time.monotonic() < deadline_s:
            smaller = data[:at] + data[at + size :]
            if _fault(one_input, smaller) == fault:
                data = smaller
            else:
                at += size
        size //= 2
    return data


def _fault(one_input: Callable[[bytes], None], data: bytes) -> tuple[type[BaseException], str, int] | None:
    """What is raised, and the file and line that raise it; None if nothing is."""
    try:
        one_input(data)
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is None:
            return type(error), "", 0
        return type(error), trace.tb_frame.f_code.co_filename, trace.tb_lineno
    return None
