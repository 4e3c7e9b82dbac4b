"""Importing much at once, and ahead of time."""

import contextlib
import gc
import threading
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


def import_for_completion() -> None:
    """Begin to import, in a thread of its own, what completes a run folder."""
    threading.Thread(target=_import_for_completion, daemon=True).start()


def _import_for_completion() -> None:
    import pyarrow.parquet  # noqa: F401

    import launch.completion
    import launch.summary_table  # noqa: F401
