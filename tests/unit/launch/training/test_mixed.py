"""Mixed precision follows the processor: bfloat16 products where it has them, float32 elsewhere."""

import pytest
import torch

from launch.training import mixed as module
from launch.training.mixed import has_bfloat16, mixed


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": False}, True),
        ({"sve": True, "bf16": True}, True),
        ({}, False),
    ],
)
def test_products_are_in_what_the_processor_has(
    capabilities: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(module, "has_bfloat16", has_bfloat16.__wrapped__)
    with mixed():
        assert (torch.ones(4, 4) @ torch.ones(4, 4)).dtype == (torch.bfloat16 if expected else torch.float32)
