"""The forward pass of training: the split model under its masks, with the differentiable channel in it.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension.

Shapes: B sequences, T tokens, D token width, U channel uses a token, R = 2 U real values, N patches.
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch._dynamo
from torch import Tensor
from torch.nn import functional

from channel_emulator.physics.differentiable import transmit
from launch.training.draws import Air
from launch.training.packing import EOS_WEIGHT, Batch
from launch.training.sharding import whole
from shared.semantic.codec import ChannelCodec, ChannelEncoder
from shared.semantic.masks import IMAGE, TEXT, attention_masks, without
from shared.semantic.model import SemanticModel
from shared.semantic.selection import most_salient, salience

#: One function computes all layers, compiled for each shape, with gradients and without, with adapters and
#: without. PyTorch keeps 8 such variants unless it is told otherwise, and runs what is beyond uncompiled, in
#: silence.
VARIANTS: Final = 128
#: The layer whose attention is hinted; the constraint is read off its input.
PROBE_LAYER: Final = 4


@dataclass(frozen=True, slots=True)
class Pass:
    """Hidden states at the split, before the layer that is hinted, and at the end, [B, T, D]."""

    split_BTD: Tensor
    probe_BTD: Tensor
    final_BTD: Tensor


@dataclass(frozen=True, slots=True)
class Heard:
    """What the receiver has: hidden states [B, T, D], and which image tokens it was never sent, [B, T]."""

    hidden_BTD: Tensor
    unselected_BT: Tensor


def through_air(codec: ChannelCodec, hidden_BTD: Tensor, batch: Batch, at_ue_B: Tensor, air: Air) -> Heard:
    """Image and text tokens through encoder, channel, equaliser and decoder; the rest the receiver knows.

    A stream is sent times one amplitude, for unit average power. The receiver knows it and h, divides by
    both, and so is told N0 / |amplitude h|^2 as the noise of a channel use, infinity where none was sent.
    """
    image = batch.segments_BT == IMAGE
    text = (batch.segments_BT == TEXT) & ~at_ue_B[:, None]
    public = ((image & air.image_public_B[:, None]) | (text & air.text_public_B[:, None]))[..., None]
    coded = {stream: encoder(hidden_BTD).float() for stream, encoder in codec.encoders.items()}
    public_encoder = codec.encoders["public"]
    assert isinstance(public_encoder, ChannelEncoder)
    said = salience(public_encoder, hidden_BTD.detach()).masked_fill(~image, -1.0)
    unselected = image & ~most_salient(said, air.kept_B)
    sent_BTR = torch.where(public, coded["public"], coded["private"])
    uses_BT = torch.where(image, air.image_uses_B[:, None], air.text_uses_B[:, None])
    uses_BT = uses_BT * ((image | text) & ~unselected)
    sent_BTU = torch.arange(air.noise_BTU.shape[-1]) < uses_BT[..., None]
    amplitude_BT1 = _amplitudes(sent_BTR, sent_BTU, public, batch)
    symbols = torch.view_as_complex(sent_BTR.unflatten(-1, (-1, 2)))  # in phase, in quadrature
    h_B11, n0_B11 = air.gain_B[:, None, None], air.noise_variance_B[:, None, None]
    received = transmit(symbols * amplitude_BT1, h_B11, n0_B11, air.noise_BTU)
    heard = received / (h_B11 * amplitude_BT1)
    level_BT1 = n0_B11 / (h_B11.abs() * amplitude_BT1).square()
    variance_BTU = torch.where(sent_BTU, level_BT1, torch.inf)
    reals = torch.view_as_real(heard).flatten(-2)
    decoded = torch.where(
        public, codec.decoders["public"](reals, variance_BTU), codec.decoders["private"](reals, variance_BTU)
    )
    decoded = torch.where(air.erased_BT[..., None], codec.erasure_D, decoded)
    return Heard(torch.where((image | text)[..., None], decoded.to(hidden_BTD.dtype), hidden_BTD), unselected)


def _amplitudes(sent_BTR: Tensor, sent_BTU: Tensor, public_BT1: Tensor, batch: Batch) -> Tensor:
    """What gives each stream of a sequence unit average power over the channel uses that are sent, [B, T, 1].

    A request has one text; so the texts packed behind one image count together as one.
    """
    share_BT = torch.where(
        batch.segments_BT == TEXT, 1.0 / batch.groups_BT.amax(1, keepdim=True).clamp_min(1), 1.0
    )
    energy_BT = (sent_BTR.square().unflatten(-1, (-1, 2)).sum(-1) * sent_BTU).sum(-1) * share_BT
    uses_BT = sent_BTU.sum(-1) * share_BT
    is_public = public_BT1.squeeze(-1)
    amplitude_BT = torch.ones_like(energy_BT)
    for stream_BT in (is_public, ~is_public):
        energy, uses = ((v * stream_BT).sum(1, keepdim=True) for v in (energy_BT, uses_BT))
        amplitude = (uses / energy.clamp_min(1e-9)).clamp_min(1e-9).sqrt()
        amplitude_BT = torch.where(stream_BT, amplitude, amplitude_BT)
    return amplitude_BT[..., None]


class Stack:
    """The language model's layers as training runs them: compiled where a C++ compiler is at hand.

    Attention is written out (`eager`): compiled, that is faster than the fused kernel under these masks.
    """

    def __init__(self, model: SemanticModel, compiled: bool) -> None:
        self.model = model
        model.llm.config._attn_implementation = "eager"
        if compiled:
            torch._dynamo.config.recompile_limit = VARIANTS
        layers = list(model.llm.model.layers)
        self.layers = [torch.compile(layer, dynamic=False) for layer in layers] if compiled else layers
        self._word_losses = torch.compile(word_losses, dynamic=True) if compiled else word_losses

    def run(
        self,
        batch: Batch,
        image_BND: Tensor | None,
        at_ue_B: Tensor,
        air: Air | None = None,
        split_layer: int = 2,
    ) -> Pass:
        """The language model over packed prompts; `air` lies before layer `split_layer`, or behind all."""
        gemma = self.model.llm.model
        hidden = gemma.embed_tokens(batch.ids_BT)
        if image_BND is not None:
            hidden = torch.cat(
                [hidden[:, :1], image_BND.to(hidden.dtype), hidden[:, 1 + image_BND.shape[1] :]], 1
            )
        below, above = attention_masks(batch.segments_BT, at_ue_B, batch.groups_BT)
        turns = gemma.rotary_emb(hidden, batch.positions_BT)
        probe: list[Tensor] = []
        split = hidden = self._through(range(split_layer), hidden, below, turns, probe)
        if air is not None:
            heard = through_air(self.model.codec, hidden, batch, at_ue_B, air)
            hidden, above = heard.hidden_BTD, without(above, heard.unselected_BT)
        hidden = self._through(range(split_layer, len(self.layers)), hidden, above, turns, probe)
        return Pass(split, probe[0], gemma.norm(hidden))

    def _through(
        self,
        numbers: range,
        hidden_BTD: Tensor,
        seen_BTT: Tensor,
        turns: tuple[Tensor, Tensor],
        probe: list[Tensor],
    ) -> Tensor:
        """The layers of these `numbers`; what the hinted one of them begins with is put into `probe`."""
        mask = torch.zeros(seen_BTT.shape).masked_fill_(~seen_BTT, -1e9).to(hidden_BTD.dtype)
        for number in numbers:
            if number == min(PROBE_LAYER, len(self.layers) - 1):
                probe.append(hidden_BTD)
            hidden_BTD = self.layers[number](hidden_BTD, position_embeddings=turns, attention_mask=mask)
        return hidden_BTD

    def answer_loss(self, batch: Batch, out: Pass) -> tuple[Tensor, Tensor]:
        """Weighted cross-entropy of all predictions, every sequence alike, and which are right, [P]."""
        llm = self.model.llm
        losses, right = self._word_losses(
            out.final_BTD[batch.rows_P, batch.columns_P],
            whole(llm.lm_head.weight),
            batch.targets_P,
            llm.config.final_logit_softcapping,
        )
        return even(losses, batch.weights_P, batch.rows_P, len(batch.ids_BT)), right


def word_losses(
    hidden_PD: Tensor, words_VD: Tensor, targets_P: Tensor, cap: float | None
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each prediction and whether its likeliest word is right, [P].

    Compiled as one, because the passes over [P, V] logits cost more than making them.
    """
    logits = functional.linear(hidden_PD, words_VD).float()
    if cap is not None:
        logits = torch.tanh(logits / cap) * cap
    return functional.cross_entropy(logits, targets_P, reduction="none"), logits.argmax(-1) == targets_P


def even(losses_P: Tensor, weights_P: Tensor, rows_P: Tensor, rows: int) -> Tensor:
    """The mean over sequences of each one's weighted mean: so that any split into workers gives the same."""
    held = torch.zeros(rows).index_add(0, rows_P, weights_P)
    return (losses_P * weights_P / held[rows_P]).sum() / rows


def exact(batch: Batch, right_P: Tensor) -> dict[str, tuple[int, int]]:
    """(examples of which every predicted word is right, examples) by family.

    Greedy decoding from the same prompt would write exactly these, so the first is a lower bound of what it
    gets right.
    """
    wrong = torch.zeros(len(batch.families), dtype=torch.long)
    wrong.index_add_(0, batch.examples_P, (~right_P & (batch.weights_P >= EOS_WEIGHT)).long())
    found: dict[str, tuple[int, int]] = {}
    for family, errors in zip(batch.families, wrong.tolist(), strict=True):
        hits, total = found.get(family, (0, 0))
        found[family] = hits + (errors == 0), total + 1
    return found


def final_share(batch: Batch, right_P: Tensor) -> float:
    """The share of answers that are right, what comes before them given."""
    return float(right_P[batch.final_P].float().mean())
