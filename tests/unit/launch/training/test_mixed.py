"""Mixed precision follows the processor: bfloat16 products where those are faster, float32 elsewhere."""

import pytest
import torch

from launch.training import mixed as module
from launch.training.mixed import bfloat16_is_faster, mixed


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": True}, True),
        ({"sve": True, "bf16": True}, True),
        ({}, False),
    ],
)
def test_products_are_in_what_the_processor_is_faster_at(
    capabilities: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(module, "bfloat16_is_faster", bfloat16_is_faster.__wrapped__)
    with mixed():
        assert (torch.ones(4, 4) @ torch.ones(4, 4)).dtype == (torch.bfloat16 if expected else torch.float32)
