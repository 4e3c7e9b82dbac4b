"""The whole model on one node: image encoder, projector, all layers; nothing of it crosses any air.

It is the sender's and the receiver's half run one after the other, so its masks are theirs, and so are its
answers over a channel that changes nothing. Weights that were trained with a channel code between the halves
read a picture better through that code: the `codec` says whether the picture's tokens take it, without noise.
Texts do not, since a question that is asked at a UE does not either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.semantic.bundle import Bundle
from shared.semantic.receiver import Answer, AnswerRequest, SemanticReceiver, State
from shared.semantic.sender import CodecKind, SemanticSender, SenderRequest
from shared.semantic.siglip import Picture


@dataclass(frozen=True, slots=True)
class Prompt:
    """A task on a text and a picture. `has_image` without a picture: it was lost, the model is told."""

    task: str
    text: str = ""
    picture: Picture | None = None
    has_image: bool = False


class WholeModel:
    """Needs a bundle loaded for all roles. `split_layer` says whose masks are used where."""

    def __init__(
        self,
        bundle: Bundle,
        split_layer: int | None = None,
        device: str | torch.device = "cpu",
        codec: CodecKind = "linear",
    ) -> None:
        self._below = SemanticSender(bundle, split_layer, device, codec)
        self._above = SemanticReceiver(bundle, split_layer, device, codec)
        self._text_codec = bundle.text_codec
        self.prompts = self._above.prompts

    @property
    def sender(self) -> SemanticSender:
        """The half that reads pictures and texts."""
        return self._below

    def words(self, task: str, image_ND: Tensor, text_nD: Tensor) -> str:
        """All that it writes, its reasoning included, about what its sender's half has read already.

        `image_ND`, `text_nD`: tokens at the split. Raises ValueError, one line, as the halves do.
        """
        request = AnswerRequest(
            task=task,
            image_tokens=self._read(image_ND),
            image_state=["received"] * len(image_ND),
            text_tokens=text_nD,
            text_state=["received"] * len(text_nD),
        )
        return self._text_codec.decode(self._above.answer(request).token_ids)

    def answer(
        self, prompt: Prompt, trace: bool = True, max_new_tokens: int | None = None, blind: bool = False
    ) -> Answer:
        """Greedy. `blind`: with every image token erased. Raises ValueError, one line, as the halves do."""
        return self._above.answer(self._request(prompt, trace, max_new_tokens, blind, asked_there=False))

    def answer_each(
        self,
        prompt: Prompt,
        questions: Sequence[str],
        trace: bool = True,
        max_new_tokens: int | None = None,
        blind: bool = False,
    ) -> list[Answer]:
        """An answer to each question about the picture, which is read once; the prompt's own text is none."""
        request = self._request(prompt, trace, max_new_tokens, blind, asked_there=True)
        return self._above.answer_each(request, questions)

    def _request(
        self, prompt: Prompt, trace: bool, max_new_tokens: int | None, blind: bool, asked_there: bool
    ) -> AnswerRequest:
        pictures = [] if prompt.picture is None else [prompt.picture]
        text = "" if asked_there else prompt.text
        index = 0 if pictures else None
        output = self._below.encode_requests([SenderRequest(prompt.task, text, index)], pictures)
        image, states = None, list[State]()
        if pictures:
            image = self._read(output.image_tokens[0])
        elif prompt.has_image:
            image = torch.zeros(self._above.image_length, self._above.width)
        if image is not None:
            states = ["received" if pictures and not blind else "erased"] * self._above.image_length
        return AnswerRequest(
            task=prompt.task,
            image_tokens=image,
            image_state=states,
            text_tokens=None if asked_there else output.text_tokens[0],
            text_state=["received"] * len(output.text_ids[0]),
            question_at="ue" if asked_there else "bs",
            max_new_tokens=max_new_tokens,
            trace=trace,
        )

    def _read(self, image_ND: Tensor) -> Tensor:
        """Image tokens as the layers above the split are used to them."""
        symbols_NU = self._below.channel_encode(image_ND, "private")
        return self._above.channel_decode(symbols_NU, np.zeros(len(symbols_NU), np.float32), "private")
