"""The decoders for one token say what the layers of `transformers` say."""

import pytest
import torch

from shared.semantic.bundle import Bundle
from shared.semantic.cpu_decode import CpuDecoder
from shared.semantic.fast_decode import FastDecoder
from shared.semantic.gemma2_split import ReceiverHalf
from shared.semantic.kv_cache import LayerCache, join_caches
from tests.unit.shared.semantic.tiny import tiny_config

TOKENS = 12


@pytest.mark.parametrize("split", range(tiny_config().llm.layers + 1))
def test_on_a_cpu_on_a_gpu_and_without_haste_the_same_is_written(bundle: Bundle, split: int) -> None:
    llm = bundle.model("all").llm
    half = ReceiverHalf(llm, split)
    assert isinstance(half.fast, CpuDecoder)
    with torch.inference_mode():
        prompt, known = half.instruction([5, 6, 7], 1)
        written = []
        for decoder in (half.fast, FastDecoder(llm), None):
            half.fast = decoder
            cache = join_caches([known], reserve=2)
            written.append(half.generate(prompt, range(4), cache, 4, TOKENS, frozenset()))
    assert len(written[0]) == TOKENS
    assert len(set(written[0])) > 1, "one token again and again compares nothing"
    assert written[0] == written[1] == written[2]


def test_one_decoder_writes_answers_of_any_length_one_after_the_other(bundle: Bundle) -> None:
    half = ReceiverHalf(bundle.model("all").llm, 2)
    with torch.inference_mode():
        prompt, known = half.instruction([5, 6, 7], 1)
        answers = [
            half.generate(prompt, range(4), join_caches([known]), 4, tokens, frozenset())
            for tokens in (TOKENS, 3, TOKENS)
        ]
    assert answers[0] == answers[2]
    assert answers[1] == answers[0][:3]


def test_a_cache_makes_room_and_keeps_what_it_holds() -> None:
    cache = LayerCache()
    held = torch.randn(1, 2, 3, 4)
    cache.update(held, -held, 0)
    keys, values, length = cache.with_room(0, 5)
    assert (length, keys.shape[2], values.shape[2]) == (3, 8, 8)
    assert torch.equal(keys[:, :, :3], held)
    assert torch.equal(values[:, :, :3], -held)
    assert cache.with_room(0, 5)[0] is keys
    assert cache.tokens == 3
