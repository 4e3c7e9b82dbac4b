"""Pictures by an image codec, at the base station: squashed to the vision encoder's size, coded, broadcast.

The model runs at the UE alone; here is only what says how large its picture and how long its texts may be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from basestation.byte_plan import BytePipeline, Parts
from basestation.channel_code import mcs_for
from basestation.encode import AdmittedRequest
from basestation.question_part import question_part
from shared import image_code
from shared.air import byte_blocks
from shared.config import RunConfig
from shared.semantic.bundle import Bundle
from shared.semantic.prompt import Prompts
from shared.spec import RoleSpec
from shared.starting import load_bundle


def sender_half(spec: RoleSpec) -> BytePipeline:
    """Raises `BundleError`."""
    bundle = load_bundle(spec.config.bundle, "sender")
    return BytePipeline(spec.config, bundle.fingerprint, PictureParts(spec.config, bundle))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One coding of a picture: of which file, and for whom."""

    image_key: str
    users: tuple[int, ...]


class PictureParts:
    """A request's picture file and its question."""

    def __init__(self, config: RunConfig, bundle: Bundle) -> None:
        self._config = config
        self._prompts = Prompts(bundle.config, bundle.text_codec)
        self._codec = bundle.text_codec
        self._size = config.baseline.image_size or bundle.config.vision.image_size

    def __call__(self, requests: Sequence[AdmittedRequest]) -> Mapping[str, Parts]:
        """Raises ValueError for a question that is too long, or a picture that does not fit its budget."""
        coded: dict[_Wanted, bytes] = {}
        parts = {}
        for r in requests:
            content = None
            if r.image is not None and r.image_key is not None:
                wanted = self._wanted(r, requests)
                if wanted not in coded:
                    coded[wanted] = self._coded(r.picture(self._config.limits), wanted.users)
                content = coded[wanted]
            parts[r.request_id] = Parts(content, question_part(r, self._prompts, self._codec))
        return parts

    def _wanted(self, request: AdmittedRequest, requests: Sequence[AdmittedRequest]) -> _Wanted:
        """All who need the picture get the same file, so that it can be broadcast."""
        assert request.image_key is not None
        users = {request.user}
        if self._config.sharing.enabled:
            users = {r.user for r in requests if r.image_key == request.image_key}
        return _Wanted(request.image_key, tuple(sorted(users)))

    def _coded(self, picture: np.ndarray, users: tuple[int, ...]) -> bytes:
        asked, channel = self._config.baseline, self._config.channel
        if asked.image_uses is None:
            return image_code.encode(
                image_code.squashed(picture, self._size), asked.image_codec, asked.fixed_quality
            )
        mcs, most = mcs_for(users, channel), asked.image_uses
        data, _, _ = image_code.fit(
            picture,
            asked.image_codec,
            lambda n_bytes: byte_blocks.uses_of(n_bytes, channel, mcs) <= most,
            self._size,
        )
        return data
