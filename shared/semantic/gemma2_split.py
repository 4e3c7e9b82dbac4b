"""Gemma2 cut in two at layer k: the sender runs the layers below k, the receiver those from k on.

Both halves run `transformers`' own decoder layers, under the masks of `shared.semantic.masks`. The receiver
runs the lower layers too, but only for tokens it knows by itself: BOS, instruction and generated tokens.

Shapes: B sequences, T tokens, D token width, H key/value heads, E head width.
"""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from transformers import Gemma2Config, Gemma2ForCausalLM
from transformers.models.gemma2.modeling_gemma2 import Gemma2RotaryEmbedding

from shared.semantic.cpu_decode import CpuDecoder
from shared.semantic.fast_decode import FastDecoder
from shared.semantic.kv_cache import LayerCache


class LayerRunner(nn.Module):
    """A run of consecutive decoder layers with their rotary embedding."""

    def __init__(
        self, layers: Sequence[nn.Module], rotary: Gemma2RotaryEmbedding, config: Gemma2Config
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.rotary = rotary
        self.eager = config._attn_implementation == "eager"

    def forward(
        self, hidden_BTD: Tensor, positions_BT: Tensor, mask: Tensor | None, cache: LayerCache | None = None
    ) -> Tensor:
        """`mask` is boolean [B, 1, T, keys], True where a key may be seen; None: all may."""
        if mask is not None and self.eager:
            mask = torch.zeros(mask.shape, dtype=hidden_BTD.dtype, device=mask.device).masked_fill(
                ~mask, torch.finfo(hidden_BTD.dtype).min
            )
        turns = self.rotary(hidden_BTD, positions_BT)
        for layer in self.layers:
            hidden_BTD = layer(
                hidden_BTD,
                position_embeddings=turns,
                attention_mask=mask,
                past_key_values=cache,
                is_causal=False,
            )
        return hidden_BTD


def _check_split(llm: Gemma2ForCausalLM, split_layer: int) -> None:
    if not 0 <= split_layer <= llm.config.num_hidden_layers:
        raise ValueError(f"split_layer: expected 0 to {llm.config.num_hidden_layers}, got {split_layer}")


class SenderHalf(nn.Module):
    """Embeddings and the layers below the split."""

    def __init__(self, llm: Gemma2ForCausalLM, split_layer: int) -> None:
        super().__init__()
        _check_split(llm, split_layer)
        self.bos_id = cast(int, llm.config.bos_token_id)
        self.embed = llm.model.embed_tokens
        self.lower = LayerRunner(llm.model.layers[:split_layer], llm.model.rotary_emb, llm.config)

    def embed_ids(self, ids: Sequence[int]) -> Tensor:
        """Embeddings [1, T, D]."""
        embedded: Tensor = self.embed(torch.tensor([list(ids)], device=self.embed.weight.device))
        return embedded

    def instruction(self, ids: Sequence[int], start: int) -> tuple[Tensor, LayerCache]:
        """BOS and an instruction at the split, [1, 1 + T, D], and their keys and values below it."""
        cache = LayerCache()
        hidden = self.embed_ids([self.bos_id, *ids])
        positions = torch.tensor([[0, *range(start, start + len(ids))]], device=hidden.device)
        return self.lower(hidden, positions, _causal(hidden.shape[1], 0, hidden.device), cache), cache

    def image(self, tokens_BND: Tensor) -> tuple[Tensor, LayerCache]:
        """Image tokens at the split, [B, N, D], and the keys and values of BOS and image below it."""
        cache = LayerCache()
        batch, length, _ = tokens_BND.shape
        bos = self.embed_ids([self.bos_id]).expand(batch, -1, -1)
        hidden = torch.cat([bos.to(tokens_BND.dtype), tokens_BND], 1)
        positions = torch.arange(length + 1, device=hidden.device)[None]
        return self.lower(hidden, positions, _causal(length + 1, 0, hidden.device), cache)[:, 1:], cache

    def text(
        self, embedded_BTD: Tensor, start: int, context: LayerCache | None, context_tokens: int
    ) -> Tensor:
        """Text tokens at the split behind `context_tokens` that they all see; `context` is extended."""
        length = embedded_BTD.shape[1]
        positions = torch.arange(start, start + length, device=embedded_BTD.device)[None]
        mask = _causal(length, context_tokens, embedded_BTD.device)
        out: Tensor = self.lower(embedded_BTD, positions, mask, context)
        return out


class ReceiverHalf(SenderHalf):
    """The layers from the split on, norm and LM head; and the lower ones for what the receiver knows."""

    def __init__(
        self, llm: Gemma2ForCausalLM, split_layer: int, device: torch.device | None = None, fast: bool = True
    ) -> None:
        super().__init__(llm, split_layer)
        self.upper = LayerRunner(llm.model.layers[split_layer:], llm.model.rotary_emb, llm.config)
        self.norm = llm.model.norm
        self.lm_head = llm.lm_head
        self.softcap = llm.config.final_logit_softcapping
        self.split_layer = split_layer
        self.to(device)
        self.fast: FastDecoder | CpuDecoder | None = None
        if fast and FastDecoder.fits(llm):
            self.fast = (CpuDecoder if self.embed.weight.device.type == "cpu" else FastDecoder)(llm)

    def logits(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.lm_head(self.norm(hidden))
        return logits if self.softcap is None else torch.tanh(logits / self.softcap) * self.softcap

    def read(self, prompt_1TD: Tensor, positions_T: Sequence[int], above: LayerCache) -> Tensor:
        """A prompt at the split, behind the tokens in `above`, through the upper layers; `above` is extended.

        Returns [1, T, D].
        """
        places = torch.tensor([list(positions_T)], device=prompt_1TD.device)
        mask = _causal(len(positions_T), above.tokens, prompt_1TD.device)
        hidden: Tensor = self.upper(prompt_1TD, places, mask, above)
        return hidden

    def generate(
        self,
        prompt_1TD: Tensor,
        positions_T: Sequence[int],
        known: LayerCache,
        next_position: int,
        max_new_tokens: int,
        stop_ids: frozenset[int],
        begin: Sequence[int] = (),
        above: LayerCache | None = None,
    ) -> list[int]:
        """Greedy answer to a prompt at the split; ids up to, and without, the first stop id.

        It begins with `begin`, whatever the model would say. `known` holds the lower layers' keys and values
        that generated tokens see, `above` the upper layers' of what comes before the prompt and was read
        already; both are written to.
        """
        if above is None:
            above = LayerCache(reserve=max_new_tokens)
        hidden = self.read(prompt_1TD, positions_T, above)[:, -1]
        next_token = self._writer(known, above, next_position, max_new_tokens)
        token = begin[0] if begin else int(self.logits(hidden).argmax())
        ids: list[int] = []
        while token not in stop_ids or len(ids) < len(begin):
            ids.append(token)
            if len(ids) == max_new_tokens:
                break
            token = next_token(token)
            if len(ids) < len(begin):
                token = begin[len(ids)]
        return ids

    def _writer(self, known: LayerCache, above: LayerCache, start: int, amount: int) -> Callable[[int], int]:
        """The likeliest next token after each of up to `amount` tokens, the first at position `start`."""
        if self.fast is not None:
            return self.fast.writer(known, above, self.split_layer, start, amount)
        places = iter(range(start, start + amount))

        def next_token(token: int) -> int:
            at = torch.tensor([[next(places)]], device=self.embed.weight.device)
            hidden = self.upper(self.lower(self.embed_ids([token]), at, None, known), at, None, above)
            return int(self.logits(hidden)[0, -1].argmax())

        return next_token


def _causal(length: int, before: int, device: torch.device) -> Tensor:
    """Mask [1, 1, T, before + T]: everything `before`, then causal."""
    ones = torch.ones(length, before + length, dtype=torch.bool, device=device)
    return ones.tril_(before)[None, None]
