"""Workplaces that leave nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.helpers import Workplace


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Workplace]:
    """With roles that only obey: for what concerns processes, not answers."""
    place = Workplace(tmp_path, tiny=True)
    yield place
    place.kill_everything()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Workplace]:
    """With the real roles."""
    place = Workplace(tmp_path)
    yield place
    place.kill_everything()
