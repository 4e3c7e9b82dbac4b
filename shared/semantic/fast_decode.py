"""One token through Gemma2's decoder layers with little overhead per layer (on a CPU: `cpu_decode`).

The same arithmetic as `transformers`' layers, arranged for a sequence of one: query, key and value in one
product, gate and up in one, and RMSNorm weights folded into the product behind them. Only for models whose
attention logits are not capped, and small enough that a second copy of the weights does not matter.

Shapes: D token width, E head width, G query heads per key/value head, H key/value heads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Gemma2ForCausalLM

from shared.semantic.kv_cache import LayerCache


@dataclass(frozen=True, slots=True)
class _Layer:
    index: int
    qkv: Tensor
    out: Tensor
    after_attention_D: Tensor
    gate_up: Tensor
    down: Tensor
    after_mlp_D: Tensor


class FastDecoder:
    """Packed copies of all layers of a model; `step` runs a range of them."""

    def __init__(self, llm: Gemma2ForCausalLM) -> None:
        config = llm.config
        self.kv_heads = config.num_key_value_heads
        self.group = config.num_attention_heads // self.kv_heads
        self.head_dim, self.eps = config.head_dim, config.rms_norm_eps
        self.scale = config.query_pre_attn_scalar**-0.5
        self.layers = [_pack(number, layer) for number, layer in enumerate(llm.model.layers)]
        self.shape = (config.hidden_size,)
        self.embedding = llm.model.embed_tokens.weight.detach()
        self.embed_scale = float(llm.model.embed_tokens.scalar_embed_scale)
        self.norm_D = 1.0 + llm.model.norm.weight.detach()
        self.rotary = llm.model.rotary_emb

    @staticmethod
    def fits(llm: Gemma2ForCausalLM) -> bool:
        """Whether this decoder computes what the model computes (norms are folded in float32 only)."""
        config = llm.config
        return (
            config.attn_logit_softcapping is None
            and llm.model.embed_tokens.weight.dtype == torch.float32
            and not config.attention_bias
            and config.hidden_activation == "gelu_pytorch_tanh"
        )

    def writer(
        self, known: LayerCache, above: LayerCache, split_layer: int, start: int, amount: int
    ) -> Callable[[int], int]:
        """The likeliest next token after each of up to `amount` tokens, the first at position `start`.

        Layers below `split_layer` have their keys and values in `known`, the others in `above`.
        """
        turns = iter(self.turns(start, amount))

        def next_token(token: int) -> int:
            turn = next(turns)
            hidden_1D = self.step(self.embed(token), turn, known, range(split_layer))
            return self.best(self.step(hidden_1D, turn, above, range(split_layer, len(self.layers))))

        return next_token

    def turns(self, start: int, amount: int) -> list[tuple[Tensor, Tensor]]:
        """Cosines and signed sines [E] of `amount` positions: rotate_half is a roll and a sign."""
        places = torch.arange(start, start + amount, device=self.embedding.device)[None]
        cos, sin = self.rotary(self.embedding, places)
        half = self.head_dim // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], -1)
        return list(zip(cos[0].unbind(0), sin[0].unbind(0), strict=True))

    def step(
        self, hidden_1D: Tensor, turn: tuple[Tensor, Tensor], cache: LayerCache, layers: range
    ) -> Tensor:
        """One token [1, D] through `layers`; its keys and values go to `cache`."""
        cos, sin = turn
        heads, half = self.group * self.kv_heads, self.head_dim // 2
        for layer in self.layers[layers.start : layers.stop]:
            normed = functional.rms_norm(hidden_1D, self.shape, None, self.eps)
            rows = functional.linear(normed, layer.qkv).view(-1, self.head_dim)
            turned = rows[: heads + self.kv_heads]
            turned = turned * cos + turned.roll(half, -1) * sin
            keys, values = cache.update(
                turned[heads:].view(1, self.kv_heads, 1, -1),
                rows[heads + self.kv_heads :].view(1, self.kv_heads, 1, -1),
                layer.index,
            )
            query_1HGE = turned[:heads].view(1, self.kv_heads, self.group, -1)
            seen = functional.scaled_dot_product_attention(query_1HGE, keys, values, scale=self.scale)
            seen = functional.linear(seen.reshape(1, -1), layer.out)
            hidden_1D = hidden_1D + functional.rms_norm(seen, self.shape, layer.after_attention_D, self.eps)
            normed = functional.rms_norm(hidden_1D, self.shape, None, self.eps)
            gate, up = functional.linear(normed, layer.gate_up).chunk(2, -1)
            grown = functional.linear(functional.gelu(gate, approximate="tanh") * up, layer.down)
            hidden_1D = hidden_1D + functional.rms_norm(grown, self.shape, layer.after_mlp_D, self.eps)
        return hidden_1D

    def embed(self, token: int) -> Tensor:
        return self.embedding[token : token + 1] * self.embed_scale

    def best(self, hidden_1D: Tensor) -> int:
        """The likeliest next token; capping logits does not change which it is."""
        normed = functional.rms_norm(hidden_1D, self.shape, self.norm_D, self.eps)
        return int(functional.linear(normed, self.embedding).argmax())


def _pack(index: int, layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    before_attention, before_mlp = (
        1.0 + layer.input_layernorm.weight,
        1.0 + layer.pre_feedforward_layernorm.weight,
    )
    qkv = torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight])
    return _Layer(
        index,
        qkv * before_attention,
        attention.o_proj.weight,
        1.0 + layer.post_attention_layernorm.weight,
        torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * before_mlp,
        mlp.down_proj.weight,
        1.0 + layer.post_feedforward_layernorm.weight,
    )
