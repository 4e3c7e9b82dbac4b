"""The forward pass of training: the split model under its masks, with the differentiable channel in it.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension.

Shapes: B sequences, T tokens, D token width, Q questions, N patches.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.gemma2.modeling_gemma2 import rotate_half

from channel_emulator.physics.differentiable import awgn
from launch.training.packing import KINDS, Batch
from launch.training.scenes import FEATURES, SIZES_OF
from shared.semantic.codec import ChannelCodec
from shared.semantic.masks import IMAGE, TEXT, attention_masks
from shared.semantic.model import SemanticModel


class Scaffold(nn.Module):
    """What only training needs: tokens for symbolic scenes, and probes that give dense supervision."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.symbols = nn.Linear(FEATURES, width)
        self.parse = nn.Linear(width, sum(n + 1 for n in SIZES_OF) + len(KINDS))
        self.query = nn.Linear(width, 64)
        self.key = nn.Linear(width, 64)
        self.threshold = nn.Parameter(torch.tensor(-2.0))
        nn.init.normal_(self.symbols.weight, std=0.6)


@dataclass(frozen=True, slots=True)
class Air:
    """One draw of the channel for a batch."""

    noise_variance_B: Tensor
    erased_BT: Tensor
    image_public_B: Tensor
    text_public_B: Tensor


@dataclass(frozen=True, slots=True)
class Pass:
    """Hidden states at the split, at the probe, and at the end, [B, T, D]."""

    split_BTD: Tensor
    probe_BTD: Tensor
    final_BTD: Tensor


def through_air(codec: ChannelCodec, hidden_BTD: Tensor, batch: Batch, at_ue_B: Tensor, air: Air) -> Tensor:
    """Image and text tokens through encoder, AWGN and decoder; what the receiver knows stays as it is."""
    image = batch.segments_BT == IMAGE
    text = (batch.segments_BT == TEXT) & ~at_ue_B[:, None]
    public = ((image & air.image_public_B[:, None]) | (text & air.text_public_B[:, None]))[..., None]
    sent = torch.where(public, codec.encoders["public"](hidden_BTD), codec.encoders["private"](hidden_BTD))
    variance_BT = air.noise_variance_B[:, None].expand(sent.shape[:2])
    symbols = torch.view_as_complex(sent.float().unflatten(-1, (-1, 2)))  # in phase, in quadrature
    heard = torch.view_as_real(awgn(symbols, variance_BT[..., None])).flatten(-2)
    decoded = torch.where(
        public, codec.decoders["public"](heard, variance_BT), codec.decoders["private"](heard, variance_BT)
    )
    decoded = torch.where(air.erased_BT[..., None], codec.erasure_D, decoded)
    return torch.where((image | text)[..., None], decoded.to(hidden_BTD.dtype), hidden_BTD)


def run(
    model: SemanticModel,
    batch: Batch,
    image_BND: Tensor | None,
    at_ue_B: Tensor,
    air: Air | None = None,
    masked_BT: Tensor | None = None,
    split_layer: int = 2,
    probe_layer: int = 4,
) -> Pass:
    """The whole language model over packed prompts."""
    gemma = model.llm.model
    hidden = gemma.embed_tokens(batch.ids_BT)
    if image_BND is not None:
        hidden = torch.cat(
            [hidden[:, :1], image_BND.to(hidden.dtype), hidden[:, 1 + image_BND.shape[1] :]], 1
        )
    masks = attention_masks(batch.segments_BT, at_ue_B, batch.groups_BT, masked_BT)
    below, above = (torch.zeros(m.shape).masked_fill_(~m, -1e9) for m in masks)
    turns = gemma.rotary_emb(hidden, batch.positions_BT)
    split = probe = hidden
    for number, layer in enumerate(gemma.layers):
        if number == split_layer:
            split = hidden
            if air is not None:
                hidden = through_air(model.codec, hidden, batch, at_ue_B, air)
        mask = below if number < split_layer else above
        hidden = layer(hidden, position_embeddings=turns, attention_mask=mask.to(hidden.dtype))
        if number == probe_layer - 1:
            probe = hidden
    return Pass(split, probe, gemma.norm(hidden))


def answer_loss(model: SemanticModel, batch: Batch, out: Pass) -> tuple[Tensor, Tensor]:
    """Weighted cross-entropy of all predictions, and which of the weight-1 ones are right."""
    hidden = out.final_BTD[batch.rows_P, batch.columns_P]
    logits = model.llm.lm_head(hidden).float()
    cap = model.llm.config.final_logit_softcapping
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    losses = functional.cross_entropy(logits, batch.targets_P, reduction="none")
    right = (logits.argmax(-1) == batch.targets_P)[batch.weights_P == 1.0]
    return (losses * batch.weights_P).sum() / batch.weights_P.sum(), right


def probe_loss(scaffold: Scaffold, batch: Batch, out: Pass) -> Tensor:
    """Dense help: what the question names (at the split) and which patches it is about (at the probe)."""
    rows, columns = batch.ends_Q.unbind(1)
    said = scaffold.parse(out.split_BTD[rows, columns]).float()
    loss = torch.zeros(())
    start = 0
    for column, amount in enumerate([*(n + 1 for n in SIZES_OF), len(KINDS)]):
        loss = loss + functional.cross_entropy(said[:, start : start + amount], batch.parse_QA[:, column])
        start += amount
    query_QR = scaffold.query(out.probe_BTD[rows, columns])
    key_BNR = scaffold.key(out.probe_BTD[:, 1 : 1 + batch.matched_QN.shape[1]])
    score_QN = torch.einsum("qr,qnr->qn", query_QR, key_BNR[rows]).float() / 8 + scaffold.threshold
    grounding = functional.binary_cross_entropy_with_logits(
        score_QN, batch.matched_QN, pos_weight=torch.tensor(4.0)
    )
    return 0.2 * loss + 4.0 * grounding


def attention_loss(model: SemanticModel, batch: Batch, out: Pass, layer: int = 4) -> Tensor:
    """Shows two heads behind the probe where to look from a question's last token.

    The first: at the objects that the question is about, or at BOS when there is none. The second: at them
    and BOS alike, so that BOS keeps 1 / (count + 1). Without this hint answers come after a long plateau.
    """
    block = model.llm.model.layers[layer]
    attention = block.self_attn
    rows, columns = batch.ends_Q.unbind(1)
    reach = int((batch.groups_BT[0] == 0).nonzero()[:, 0].max()) + 1
    reach = min(reach, int((batch.segments_BT[0] == TEXT).nonzero()[0, 0]))
    normed = block.input_layernorm(out.probe_BTD)
    cos, sin = model.llm.model.rotary_emb(normed, batch.positions_BT)
    query_QHE = attention.q_proj(normed[rows, columns]).unflatten(-1, (-1, attention.head_dim))
    key_BTGE = attention.k_proj(normed[:, :reach]).unflatten(-1, (-1, attention.head_dim))
    second = attention.num_key_value_groups
    wanted_QK = torch.zeros(len(rows), reach)
    wanted_QK[:, 1 : 1 + batch.matched_QN.shape[1]] = batch.matched_QN
    only_QK, alike_QK = wanted_QK.clone(), wanted_QK.clone()
    only_QK[:, 0] = (batch.matched_QN.sum(1) == 0).float()
    alike_QK[:, 0] = 1.0
    loss = torch.zeros(())
    for head, group, target_QK in ((0, 0, only_QK), (second, 1, alike_QK)):
        query = _turn(query_QHE[:, head], cos[rows, columns], sin[rows, columns])
        key = _turn(key_BTGE[:, :, group], cos[:, :reach], sin[:, :reach])
        score = torch.einsum("qe,qke->qk", query, key[rows]).float() * attention.scaling
        share = target_QK / target_QK.sum(1, keepdim=True)
        loss = loss - (share * score.log_softmax(1)).sum(1).mean()
    return loss


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of one head (Su et al. 2021)."""
    return x * cos + rotate_half(x) * sin
