"""One token through Gemma2's decoder layers on a CPU: PyTorch multiplies by weights, NumPy does the rest.

What a token needs beside the products with weights is a few dozen operations on some hundred numbers each.
There the time goes into calling them, and a call costs NumPy a fraction of what it costs PyTorch, which takes
nine for one RMSNorm. The arithmetic is that of `fast_decode`, all in buffers that stay in the cache.

Shapes: D token width, E head width, G query heads per key/value head, H key/value heads, I width of the MLP,
V vocabulary, T tokens so far.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import Gemma2ForCausalLM

from shared.semantic.fast_decode import FastDecoder
from shared.semantic.kv_cache import LayerCache


class _Buffer(NamedTuple):
    """The same numbers for NumPy, in a shape, and for PyTorch, flat."""

    array: np.ndarray
    flat: Tensor

    @classmethod
    def of(cls, *shape: int) -> "_Buffer":
        array = np.zeros(shape, np.float32)
        return cls(array, torch.from_numpy(array).view(-1))


class CpuDecoder:
    """Writes one answer at a time: its buffers are shared."""

    def __init__(self, llm: Gemma2ForCausalLM) -> None:
        packed = FastDecoder(llm)
        self._packed, self._eps = packed, packed.eps
        self._heads, self._kv_heads, self._group = (
            packed.group * packed.kv_heads,
            packed.kv_heads,
            packed.group,
        )
        self._layers = packed.layers
        for layer in self._layers:  # queries come out scaled
            layer.qkv[: self._heads * packed.head_dim] *= packed.scale
        width, inner = packed.shape[0], packed.layers[0].down.shape[1]
        self._normed, self._out = _Buffer.of(width), _Buffer.of(width)
        self._rows = _Buffer.of(self._heads + 2 * self._kv_heads, packed.head_dim)
        self._seen = _Buffer.of(self._kv_heads, self._group, packed.head_dim)
        self._gate_up, self._grown = _Buffer.of(2, inner), _Buffer.of(inner)
        self._logits = _Buffer.of(packed.embedding.shape[0])
        self._rolled = np.zeros((self._heads + self._kv_heads, packed.head_dim), np.float32)
        self._weights = [
            (layer.after_attention_D.numpy(), layer.after_mlp_D.numpy()) for layer in packed.layers
        ]
        self._norm_D, self._embedding_VD = packed.norm_D.numpy(), packed.embedding.numpy()

    def writer(
        self, known: LayerCache, above: LayerCache, split_layer: int, start: int, amount: int
    ) -> Callable[[int], int]:
        """The likeliest next token after each of up to `amount` tokens, the first at position `start`."""
        turns = [(cos.numpy(), sin.numpy()) for cos, sin in self._packed.turns(start, amount)]
        buffers = [
            (known if layer.index < split_layer else above).with_room(layer.index, amount)
            for layer in self._layers
        ]
        held = [(keys[0].numpy(), values[0].numpy(), length) for keys, values, length in buffers]
        written = 0

        def next_token(token: int) -> int:
            nonlocal written
            hidden_D = self._embedding_VD[token] * np.float32(self._packed.embed_scale)
            for place, (keys_HTE, values_HTE, length) in enumerate(held):
                self._layer(place, hidden_D, turns[written], keys_HTE, values_HTE, length + written)
            written += 1
            return self._best(hidden_D)

        return next_token

    def _layer(
        self,
        place: int,
        hidden_D: np.ndarray,
        turn: tuple[np.ndarray, np.ndarray],
        keys_HTE: np.ndarray,
        values_HTE: np.ndarray,
        before: int,
    ) -> None:
        """`hidden_D` is changed; keys and values go behind the `before` that are there."""
        layer, (after_attention_D, after_mlp_D) = self._layers[place], self._weights[place]
        rows, out_D = self._rows.array, self._out.array
        turned, heads = rows[: self._heads + self._kv_heads], self._heads
        np.multiply(hidden_D, self._inverse_rms(hidden_D), out=self._normed.array)
        torch.mv(layer.qkv, self._normed.flat, out=self._rows.flat)
        self._turn(turned, *turn)
        keys_HTE[:, before], values_HTE[:, before] = turned[heads:], rows[len(turned) :]
        query_HGE = turned[:heads].reshape(self._kv_heads, self._group, -1)
        share_HGT = query_HGE @ keys_HTE[:, : before + 1].transpose(0, 2, 1)
        share_HGT -= np.maximum.reduce(share_HGT, -1, keepdims=True)
        np.exp(share_HGT, out=share_HGT)
        share_HGT /= np.add.reduce(share_HGT, -1, keepdims=True)
        np.matmul(share_HGT, values_HTE[:, : before + 1], out=self._seen.array)
        torch.mv(layer.out, self._seen.flat, out=self._out.flat)
        out_D *= self._inverse_rms(out_D)
        out_D *= after_attention_D
        hidden_D += out_D
        np.multiply(hidden_D, self._inverse_rms(hidden_D), out=self._normed.array)
        torch.mv(layer.gate_up, self._normed.flat, out=self._gate_up.flat)
        gate, up = self._gate_up.flat.chunk(2)
        torch.mul(functional.gelu(gate, approximate="tanh"), up, out=self._grown.flat)
        torch.mv(layer.down, self._grown.flat, out=self._out.flat)
        out_D *= self._inverse_rms(out_D)
        out_D *= after_mlp_D
        hidden_D += out_D

    def _turn(self, rows: np.ndarray, cos_E: np.ndarray, sin_E: np.ndarray) -> None:
        """Rotary embedding of rows [heads, E], in place; the sine is signed as `FastDecoder.turns` has it."""
        rolled, half = self._rolled, len(cos_E) // 2
        rolled[:, :half], rolled[:, half:] = rows[:, half:], rows[:, :half]
        rolled *= sin_E
        rows *= cos_E
        rows += rolled

    def _best(self, hidden_D: np.ndarray) -> int:
        """The likeliest next token; capping logits does not change which it is."""
        np.multiply(hidden_D, self._inverse_rms(hidden_D), out=self._normed.array)
        np.multiply(self._normed.array, self._norm_D, out=self._normed.array)
        torch.mv(self._packed.embedding, self._normed.flat, out=self._logits.flat)
        return int(self._logits.array.argmax())

    def _inverse_rms(self, row_D: np.ndarray) -> np.float32:
        return np.float32(1.0 / math.sqrt(float(row_D.dot(row_D)) / len(row_D) + self._eps))
