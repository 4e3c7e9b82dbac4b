"""Importing much at once."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def imported_for_good() -> Iterator[None]:
    """Modules stay: the collector, which would go over them again and again, waits and then leaves them be.

    It would take a tenth of the time of the imports. And what a forkserver shares with its children stays
    shared, since nothing writes to it any more.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
