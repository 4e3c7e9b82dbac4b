"""The collector waits while modules are imported, and is back afterwards, whatever happened."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from launch.imports import imported_for_good


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_the_collector_waits_and_then_leaves_alone_what_is_there() -> None:
    before = gc.get_freeze_count()
    with imported_for_good():
        assert not gc.isenabled()
        made = [[] for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_it_is_back_after_a_module_that_is_not_there() -> None:
    with pytest.raises(ImportError), imported_for_good():
        import no_such_module  # noqa: F401
    assert gc.isenabled()


def test_the_page_needs_no_library_that_only_draws_reports() -> None:
    """Its start is paid by the run that it shows."""
    say = (
        "import launch.dashboard.serve, launch.dashboard.pages.build, sys; print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
