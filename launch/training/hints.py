"""Help that only training has: tokens for symbolic scenes, and hints for two layers of the language model.

At every predicted word that is about objects, a probe reads off what the set being listed has in common,
and two attention heads of the next layer are shown where to look. Without these hints answers come after a
long plateau. The bundle holds none of this.

Shapes: B sequences, T tokens, D token width, N patches, F symbolic features, H hinted words.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.gemma2.modeling_gemma2 import rotate_half

from launch.training.packing import Batch
from launch.training.scenes import FEATURES, GRID, PATCHES, SIZES_OF
from launch.training.traces import FLAGS
from shared.semantic.model import SemanticModel
from shared.semantic.tokenizer import TextCodec
from shared.semantic.trace import pointer

POINTER_GAIN = 0.7


class Scaffold(nn.Module):
    """Symbolic scenes as image tokens, and the probe."""

    pointers_N: Tensor

    def __init__(self, width: int, text_codec: TextCodec) -> None:
        super().__init__()
        self.symbols = nn.Linear(FEATURES, width)
        self.gain = nn.Parameter(torch.tensor(POINTER_GAIN))
        self.constraint = nn.Linear(width, sum(n + 1 for n in SIZES_OF) + len(FLAGS))
        ids = [text_codec.encode(pointer(patch)) for patch in range(PATCHES)]
        assert all(len(row) == 1 for row in ids)
        self.register_buffer("pointers_N", torch.tensor([row[0] for row in ids]), persistent=False)
        nn.init.normal_(self.symbols.weight, std=0.6)

    def tokens(self, model: SemanticModel, features_BNF: Tensor) -> Tensor:
        """Image tokens [B, N, D] of symbolic scenes: attributes, and the word for the patch itself."""
        places_ND = model.llm.model.embed_tokens(self.pointers_N)
        tokens: Tensor = self.symbols(features_BNF) + self.gain * places_ND
        return tokens


def pointer_start(width: int) -> Tensor:
    """Embeddings [N, width] of the words for patches: sines of row and column, like neighbours alike."""
    waves = width // 8
    turns_GW = (torch.arange(GRID)[:, None] + 0.5) * torch.pi / GRID * GRID ** (torch.arange(waves) / waves)
    one_GV = torch.cat([turns_GW.sin(), turns_GW.cos()], 1)
    grid = torch.cat(
        [one_GV[:, None].expand(GRID, GRID, -1), one_GV[None].expand(GRID, GRID, -1)], 2
    ).reshape(PATCHES, -1)
    generator = torch.Generator().manual_seed(0)
    rest = torch.randn(PATCHES, width - grid.shape[1], generator=generator)
    return torch.cat([grid, rest], 1) / width**0.5


def constraint_loss(scaffold: Scaffold, batch: Batch, probe_BTD: Tensor) -> Tensor:
    """What the set has in common, read off the hidden state that predicts its next member."""
    said = scaffold.constraint(probe_BTD[batch.hints_H2[:, 0], batch.hints_H2[:, 1]]).float()
    loss, start = torch.zeros(()), 0
    for column, amount in enumerate(n + 1 for n in SIZES_OF):
        part = said[:, start : start + amount]
        loss = loss + functional.cross_entropy(part, batch.constraints_HK[:, column])
        start += amount
    flags = batch.constraints_HK[:, len(SIZES_OF) :].float()
    return loss + 4.0 * functional.binary_cross_entropy_with_logits(said[:, start:], flags)


def attention_loss(model: SemanticModel, batch: Batch, probe_BTD: Tensor, layer: int) -> Tensor:
    """Shows two heads of `layer`, whose input is `probe_BTD`, where to look for a word about objects.

    The first: at the objects, or at BOS when there is none. The second: at them and BOS alike, so that BOS
    keeps 1 / (count + 1).
    """
    block = model.llm.model.layers[layer]
    attention = block.self_attn
    rows, columns = batch.hints_H2.unbind(1)
    reach = 1 + PATCHES
    normed = block.input_layernorm(probe_BTD)
    cos, sin = model.llm.model.rotary_emb(normed, batch.positions_BT)
    query_HGE = attention.q_proj(normed[rows, columns]).unflatten(-1, (-1, attention.head_dim))
    key_BTGE = attention.k_proj(normed[:, :reach]).unflatten(-1, (-1, attention.head_dim))
    nothing_H1 = (batch.focus_HN.sum(1, keepdim=True) == 0).float()
    only = torch.cat([nothing_H1, batch.focus_HN], 1)
    alike = torch.cat([torch.ones_like(nothing_H1), batch.focus_HN], 1)
    loss = torch.zeros(())
    for head, group, wanted in ((0, 0, only), (attention.num_key_value_groups, 1, alike)):
        query = _turn(query_HGE[:, head], cos[rows, columns], sin[rows, columns])
        key = _turn(key_BTGE[:, :, group], cos[:, :reach], sin[:, :reach])
        score = torch.einsum("hke,he->hk", key[rows], query).float() * attention.scaling
        share = wanted / wanted.sum(1, keepdim=True)
        loss = loss - (share * score.log_softmax(1)).sum(1).mean()
    return loss


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of one head (Su et al. 2021)."""
    return x * cos + rotate_half(x) * sin
