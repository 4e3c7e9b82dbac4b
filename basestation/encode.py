"""Encode: the requests of a group to tokens at the split, work shared by users done once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from torch import Tensor

from basestation.compare import TokenSequence
from basestation.image_door import decode_image
from shared.config import LimitsConfig, RateConfig
from shared.semantic.selection import most_salient, named_first
from shared.semantic.sender import SemanticSender, SenderRequest
from shared.semantic_cache import KnownImage, Slot

EVERYTHING: Final = RateConfig()


@dataclass(frozen=True, slots=True)
class AdmittedRequest:
    """A request that passed the door. `image` is the file's bytes, `image_key` their SHA-256 in hex.

    `questions_of` is the workload index whose questions the UE asks by itself; None: `text` is what is asked.
    `cached`: the UE has the image; `keep`: where it shall put it. `pixels_HWC`: its file, opened already.
    """

    request_id: str
    user: int
    task: str
    text: str
    image: bytes | None
    image_key: str | None
    questions_of: int | None = None
    cached: KnownImage | None = None
    keep: Slot | None = None
    pixels_HWC: np.ndarray | None = field(default=None, compare=False, repr=False)

    def picture(self, limits: LimitsConfig) -> np.ndarray:
        """Pixels uint8 [H, W, 3] of a request that has an image. Raises `BadInput`."""
        assert self.image is not None
        return decode_image(self.image, limits) if self.pixels_HWC is None else self.pixels_HWC


Foresee = Callable[[AdmittedRequest, Tensor, Tensor], tuple[int, ...]]
"""The image tokens that a question is about, given it, the image's tokens [N, D] and its own [n, D]."""


def encode_group(
    requests: Sequence[AdmittedRequest],
    sender: SemanticSender,
    limits: LimitsConfig,
    rate: RateConfig = EVERYTHING,
    foresee: Foresee | None = None,
) -> list[TokenSequence]:
    """Image and text tokens of every request; each distinct image goes through the model once.

    `rate` says how many of an image's tokens are to be sent to a user: the most salient ones or, with
    `foresee`, first those that the question is about.
    """
    images: dict[str, np.ndarray] = {}
    for request in requests:
        if request.image is not None and request.image_key is not None and request.image_key not in images:
            images[request.image_key] = request.picture(limits)
    place = {key: i for i, key in enumerate(images)}
    output = sender.encode_requests(
        [
            SenderRequest(
                task=request.task,
                text=request.text,
                image_index=None if request.image_key is None else place[request.image_key],
            )
            for request in requests
        ],
        list(images.values()),
    )

    def selected(row: int, request: AdmittedRequest) -> np.ndarray | None:
        kept = rate.image_tokens_of(request.user)
        if request.image_key is None or (kept is None and foresee is None):
            return None
        image = place[request.image_key]
        if foresee is None:
            assert kept is not None
            chosen_N = most_salient(output.salience[image], kept)
        else:
            named = foresee(request, output.image_tokens[image], output.text_tokens[row])
            chosen_N = named_first(output.salience[image], named, kept)
        chosen: np.ndarray = chosen_N.cpu().numpy()
        return chosen

    def of_image(tokens_BND: Tensor, request: AdmittedRequest) -> np.ndarray | None:
        if request.image_key is None:
            return None
        own: np.ndarray = tokens_BND[place[request.image_key]].float().cpu().numpy()
        return own

    return [
        TokenSequence(
            request_id=request.request_id,
            user=request.user,
            task=request.task,
            image_key=request.image_key,
            image_ND=of_image(output.image_tokens, request),
            text_ND=output.text_tokens[i].float().cpu().numpy(),
            text_ids=tuple(output.text_ids[i]),
            questions_of=request.questions_of,
            selected_N=selected(i, request),
            projected_ND=of_image(output.projected, request),
            salience_N=of_image(output.salience, request) if sender.power == "stream" else None,
            cached=request.cached,
            keep=request.keep,
        )
        for i, request in enumerate(requests)
    ]
