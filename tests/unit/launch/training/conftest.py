"""One server of worker processes for all tests here."""

from collections.abc import Iterator
from multiprocessing import forkserver

import pytest


@pytest.fixture(scope="package", autouse=True)
def _fork_server() -> Iterator[None]:
    """Started before the first test and ended after the last one."""
    forkserver.ensure_running()
    yield
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the library's own way, for tests
