"""DeepSC for text: a transformer at both ends (Xie et al. 2021, section III), here for classification.

The transmitter is the paper's: word embeddings with sinusoidal positions, three transformer encoder
layers of width 128 and eight heads, and the dense channel encoder to 16 real numbers a word. The
receiver is the paper's channel decoder and transformer decoder, which there writes the sentence word by
word from a start token on. Of a review it writes one word only, out of the closed set of answers: the
start token alone attends to what was received, so it is at the same time the pooling that a classifier
needs.

Shapes: B texts, T words, D width, R = 2 U real numbers a word, A answers.
"""

import math

import torch
from torch import Tensor, nn

from shared.deepsc.channel import ChannelDecoder, ChannelEncoder
from shared.deepsc.config import AnyDeepsc, DeepscConfig, TransformerSizes

_LONGEST_WAVE = 10_000.0


def positions(tokens: int, width: int) -> Tensor:
    """Sines and cosines [tokens, width] (Vaswani et al. 2017, section 3.5)."""
    turns = torch.arange(tokens)[:, None] * torch.exp(
        torch.arange(0, width, 2) * (-math.log(_LONGEST_WAVE) / width)
    )
    return torch.stack([turns.sin(), turns.cos()], -1).flatten(1)


class TextSender(nn.Module):
    """Words to real numbers: the semantic encoder and the channel encoder."""

    def __init__(self, config: AnyDeepsc, uses_per_word: int) -> None:
        super().__init__()
        sizes = config.text
        self.embed = nn.Embedding(config.vocab, sizes.width)
        nn.init.normal_(self.embed.weight, std=sizes.width**-0.5)
        self.register_buffer("places_TD", positions(config.text_tokens, sizes.width), persistent=False)
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                sizes.width, sizes.heads, sizes.inner, 0.0, batch_first=True, norm_first=True
            ),
            sizes.layers,
            nn.LayerNorm(sizes.width),
            enable_nested_tensor=False,
        )
        self.channel = ChannelEncoder(sizes.width, config.channel_hidden, uses_per_word)

    def forward(self, ids_BT: Tensor, there_BT: Tensor) -> Tensor:
        """Real numbers [B, T, R]; `there_BT` is False where a text is shorter than the longest."""
        places_TD = self.places_TD
        assert isinstance(places_TD, Tensor)
        words = self.embed(ids_BT) * math.sqrt(self.embed.embedding_dim) + places_TD[: ids_BT.shape[1]]
        encoded = self.encoder(words, src_key_padding_mask=~there_BT)
        coded: Tensor = self.channel(encoded)
        return coded


class TextReceiver(nn.Module):
    """Received real numbers to one answer: channel decoder and semantic decoder."""

    def __init__(self, config: DeepscConfig) -> None:
        super().__init__()
        sizes = config.text
        self.channel = ChannelDecoder(sizes.width, config.channel_hidden, config.uses_per_word)
        self.start_D = nn.Parameter(torch.randn(sizes.width) * sizes.width**-0.5)
        self.register_buffer("places_TD", positions(config.text_tokens, sizes.width), persistent=False)
        self.decoder = nn.TransformerDecoder(_decoder_layer(sizes), sizes.layers, nn.LayerNorm(sizes.width))
        self.answer = nn.Linear(sizes.width, len(config.answers))

    def forward(self, reals_BTR: Tensor, there_BT: Tensor) -> Tensor:
        """Logits [B, A] of the answers."""
        places_TD = self.places_TD
        assert isinstance(places_TD, Tensor)
        heard = self.channel(reals_BTR) + places_TD[: reals_BTR.shape[1]]
        start = self.start_D.expand(len(heard), 1, -1)
        written = self.decoder(start, heard, memory_key_padding_mask=~there_BT)
        logits: Tensor = self.answer(written[:, 0])
        return logits


def _decoder_layer(sizes: TransformerSizes) -> nn.TransformerDecoderLayer:
    return nn.TransformerDecoderLayer(
        sizes.width, sizes.heads, sizes.inner, 0.0, batch_first=True, norm_first=True
    )


class DeepscText(nn.Module):
    """Both ends, as they are trained together."""

    def __init__(self, config: DeepscConfig) -> None:
        super().__init__()
        self.sender = TextSender(config, config.uses_per_word)
        self.receiver = TextReceiver(config)
