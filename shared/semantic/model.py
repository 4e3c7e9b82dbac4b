"""All weights of a semantic codec in one module: vision tower, projector, language model, channel codec."""

import torch
from torch import nn
from transformers import Gemma2ForCausalLM
from transformers.models.gemma2.modeling_gemma2 import Gemma2RotaryEmbedding

from shared.semantic.codec import ChannelCodec
from shared.semantic.config import SemanticConfig
from shared.semantic.kan import KanLayer, KanProjector, knots
from shared.semantic.mlp import MlpProjector
from shared.semantic.siglip import VisionTower


class SemanticModel(nn.Module):
    """The tensor names of a bundle are the parameter names of this module (the LM head is the embedding)."""

    def __init__(self, config: SemanticConfig) -> None:
        super().__init__()
        self.config = config
        self.vision = VisionTower(config.vision)
        self.projector = projector_of(config)
        self.llm = Gemma2ForCausalLM(config.llm.to_transformers())
        if config.llm.attention_softcap is None:
            # transformers refuses this at construction: Gemma2 may cap attention logits; this one does not
            self.llm.config._attn_implementation = "sdpa"
        self.codec = ChannelCodec(config.llm.hidden, config.uses_per_token, config.power)


def projector_of(config: SemanticConfig) -> KanProjector | MlpProjector:
    """The projector of the kind that the configuration gives sizes of."""
    if config.mlp is not None:
        return MlpProjector(config.vision.hidden, config.mlp.hidden, config.llm.hidden)
    assert config.kan is not None
    return KanProjector(config.kan.widths, config.kan.grid, config.kan.order)


def shape_of_model(config: SemanticConfig) -> SemanticModel:
    """A model on the meta device: names and shapes only, nothing is computed."""
    with torch.device("meta"):
        return SemanticModel(config)


def empty_model(config: SemanticConfig) -> SemanticModel:
    """A model whose parameters live on the meta device, with real buffers, ready to be given its tensors."""
    model = shape_of_model(config)
    model.llm.model.rotary_emb = Gemma2RotaryEmbedding(model.llm.config)
    embed = model.llm.model.embed_tokens
    embed.embed_scale = nn.Buffer(torch.tensor(embed.scalar_embed_scale), persistent=False)
    if config.kan is not None:
        for layer in model.projector.layers:
            assert isinstance(layer, KanLayer)
            layer.knots_K = knots(config.kan.grid, config.kan.order)
    patches = model.vision.model.embeddings
    positions = torch.arange(patches.num_positions).expand((1, -1))
    patches.position_ids = nn.Buffer(positions, persistent=False)
    return model
