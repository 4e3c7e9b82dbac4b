"""DeepSC-VQA at the base station: pictures by its residual network, questions word by word.

Each distinct picture is encoded once, and sent once to all who ask about it, whatever they ask. Of each
patch the first eighths of its channel uses are sent that `rate.image_eighths` says.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from basestation.encode import AdmittedRequest
from basestation.symbol_plan import Parts, SymbolPipeline, Symbols
from basestation.words import WordSender
from shared.config import RunConfig
from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.config import DeepscVqaConfig
from shared.deepsc.vision import pixels_of
from shared.deepsc.vqa import VqaSender
from shared.rate import prefix_uses
from shared.semantic.codec import to_symbols
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.starting import pick_device


def sender_half(spec: RoleSpec) -> SymbolPipeline:
    """Raises `BundleError`."""
    bundle = DeepscBundle.load(bundle_folder(spec.config.bundle), "deepsc_vqa")
    return SymbolPipeline(spec.config, bundle.fingerprint, PictureAndQuestion(spec.config, bundle))


class PictureAndQuestion:
    """A request's picture and its question."""

    def __init__(self, config: RunConfig, bundle: DeepscBundle) -> None:
        sizes, sender = bundle.config, bundle.end("sender", pick_device(config.device))
        assert isinstance(sizes, DeepscVqaConfig)
        assert isinstance(sender, VqaSender)
        self._limits = config.limits
        self._size = sizes.image_size
        self._uses = prefix_uses(sizes.uses_per_patch, config.rate.image_eighths)
        self._sender = sender
        self._words = WordSender(bundle, sender.text)

    def __call__(self, requests: Sequence[AdmittedRequest]) -> Mapping[str, Parts[Symbols]]:
        """Raises ValueError for a question that is too long."""
        seen: dict[str, Symbols] = {}
        for r in requests:
            if r.image is not None and r.image_key is not None and r.image_key not in seen:
                seen[r.image_key] = self._symbols(r.picture(self._limits), r.image_key)
        return {r.request_id: Parts(seen.get(r.image_key or ""), self._words.part(r.text)) for r in requests}

    @torch.inference_mode()
    def _symbols(self, picture_HWC: np.ndarray, key: str) -> Symbols:
        pixels = pixels_of(picture_HWC, self._size)
        device = next(self._sender.parameters()).device
        reals_NR = self._sender.image(pixels[None].to(device))[0]
        return Symbols(("image", key), to_symbols(reals_NR)[:, : self._uses])
