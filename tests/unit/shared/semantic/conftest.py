"""A tiny bundle on disk for the tests of the semantic codec."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from shared.semantic.bundle import Bundle, save_bundle
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path: Path = tmp_path_factory.mktemp("bundles") / "tiny"
    return save_bundle(path, tiny_model(tiny_config()), tiny_tokenizer(), "# tiny\n", torch.float32)
