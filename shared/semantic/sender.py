"""What the base station needs of the semantic codec: requests in, tokens at the split and symbols out.

Shapes: B images, N image tokens, n text tokens, D token width, U channel uses a token.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from shared.semantic.bundle import Bundle
from shared.semantic.codec import ChannelEncoder, Stream, to_symbols
from shared.semantic.gemma2_split import SenderHalf
from shared.semantic.kv_cache import LayerCache, join_caches
from shared.semantic.prompt import Prompts
from shared.semantic.selection import salience
from shared.semantic.siglip import Picture

CodecKind = Literal["linear", "bypass"]


@dataclass(frozen=True, slots=True)
class SenderRequest:
    """A task on a text and, by its index in the list given beside it, an image."""

    task: str
    text: str = ""
    image_index: int | None = None


@dataclass(frozen=True, slots=True)
class SenderOutput:
    """Tokens at the split: `image_tokens` [B, N, D], `salience` [B, N], in the order of the images given.

    `projected` [B, N, D]: the image tokens as the language model's first layer gets them.
    """

    image_tokens: Tensor
    projected: Tensor
    salience: Tensor
    text_tokens: list[Tensor]
    text_ids: list[list[int]]


class SemanticSender:
    """Vision tower, projector, the layers below the split, and the channel encoders."""

    def __init__(
        self,
        bundle: Bundle,
        split_layer: int | None = None,
        device: str | torch.device = "cpu",
        codec: CodecKind = "linear",
    ) -> None:
        self.split_layer = bundle.config.split_layer if split_layer is None else split_layer
        model = bundle.model("sender", split_layer=self.split_layer)
        self._dtype = bundle.dtype
        self.device = torch.device(device)
        self.codec = codec
        self.width = bundle.config.llm.hidden
        self.image_length = bundle.config.image_tokens
        self.power = bundle.config.power
        self.uses_per_token = bundle.config.uses_per_token if codec == "linear" else self.width // 2
        self.fingerprint = bundle.fingerprint
        self.prompts = Prompts(bundle.config, bundle.text_codec)
        self._half = SenderHalf(model.llm, self.split_layer).to(self.device)
        self._vision = model.vision.to(self.device)
        self._projector = model.projector.to(self.device)
        self._encoders = model.codec.encoders.to(self.device)
        self._instructions: dict[str, LayerCache] = {}

    def max_new_tokens(self, task: str) -> int:
        """The longest answer of a task, in tokens. Raises ValueError for an unknown task."""
        return self.prompts.max_new_tokens(task)

    def encode_images(self, images: Sequence[Picture]) -> Tensor:
        """Image tokens at the split, [B, N, D]; they depend on nothing but the image."""
        return self._images(images)[1]

    def encode_text(self, task: str, text: str, image: Picture | None = None) -> Tensor:
        """Text tokens at the split, [n, D]."""
        index = None if image is None else 0
        request = SenderRequest(task, text, index)
        return self.encode_requests([request], [] if image is None else [image]).text_tokens[0]

    @torch.inference_mode()
    def encode_requests(self, requests: Sequence[SenderRequest], images: Sequence[Picture]) -> SenderOutput:
        """All requests of a group; each image is encoded once, texts of one task in one batch.

        Raises ValueError, one line, for a request that cannot be encoded.
        """
        for request in requests:
            if request.image_index is not None and not 0 <= request.image_index < len(images):
                raise ValueError(f"image: index {request.image_index}, but {len(images)} images were given")
        ids = [self.prompts.text_ids(request.text) for request in requests]
        for request in requests:
            self.prompts.layout(request.task)
        projected_BND, tokens_BND, seen = self._images(images)
        kinds: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for row, request in enumerate(requests):
            kinds[request.task, request.image_index is not None].append(row)
        text: list[Tensor] = [tokens_BND.new_zeros(0, self.width)] * len(requests)
        for (task, has_image), rows in kinds.items():
            rows = [row for row in rows if ids[row]]
            if rows:
                places = [requests[row].image_index or 0 for row in rows] if has_image else None
                for row, tokens in zip(
                    rows, self._texts(task, [ids[r] for r in rows], places, seen), strict=True
                ):
                    text[row] = tokens
        public = self._encoders["public"]
        assert isinstance(public, ChannelEncoder)
        return SenderOutput(tokens_BND, projected_BND, salience(public, tokens_BND.float()), text, ids)

    @torch.inference_mode()
    def channel_encode(self, tokens: Tensor, stream: Stream) -> np.ndarray:
        """Token vectors [n, D] to complex64 symbols [n, U], of the code's own power.

        What makes it unit average power is up to the transmitter (`basestation.channel_code`).
        """
        rows = tokens.to(self.device, torch.float32)
        if self.codec == "bypass":
            return to_symbols(rows)
        encoder = self._encoders[stream]
        assert isinstance(encoder, ChannelEncoder)
        return to_symbols(encoder(rows))

    @torch.inference_mode()
    def _images(self, images: Sequence[Picture]) -> tuple[Tensor, Tensor, LayerCache]:
        """Tokens behind the projector and at the split, and what texts see of them below it."""
        if not images:
            none = torch.zeros(0, self.image_length, self.width, dtype=self._dtype, device=self.device)
            return none, none, LayerCache()
        pixels = self._vision.preprocess(images).to(self.device, self._dtype)
        projected_BND = self._projector(self._vision(pixels))
        return projected_BND, *self._half.image(projected_BND)

    def _texts(
        self, task: str, ids: Sequence[list[int]], images: Sequence[int] | None, seen: LayerCache
    ) -> list[Tensor]:
        """Texts of one task as one padded batch behind the keys and values of what they see."""
        layout = self.prompts.layout(task)
        instruction = self._instruction(task)
        if images is None:
            context = join_caches([instruction], rows=[0] * len(ids))
        else:  # BOS is the first token of both caches
            context = join_caches([seen, instruction.slice(1)], rows=images)
        longest = max(map(len, ids))
        padded = torch.cat([self._half.embed_ids([*row, *[0] * (longest - len(row))]) for row in ids])
        before = 1 + len(layout.instruction_ids) + (0 if images is None else self.image_length)
        out = self._half.text(padded, layout.text(0).start, context, before)
        return [out[row, : len(own)] for row, own in enumerate(ids)]

    def _instruction(self, task: str) -> LayerCache:
        if task not in self._instructions:
            layout = self.prompts.layout(task)
            _, self._instructions[task] = self._half.instruction(
                layout.instruction_ids, layout.instruction.start
            )
        return self._instructions[task]
