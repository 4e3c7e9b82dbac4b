"""What several simulations share."""

from collections.abc import Iterator

import pytest
import torch

from shared.semantic.bundle import Bundle
from shared.starting import load_bundle


@pytest.fixture(scope="module")
def bundle() -> Iterator[Bundle]:
    """The shipped weights, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield load_bundle("micro", "all")
    torch.set_num_threads(threads)
