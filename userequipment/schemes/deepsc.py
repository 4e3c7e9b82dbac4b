"""DeepSC at a UE: its channel decoder and transformer decoder write the class of a text."""

import torch

from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.config import DeepscConfig
from shared.deepsc.text import TextReceiver
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.starting import pick_device
from userequipment.deepsc_heard import as_reals, silence
from userequipment.half import Questions
from userequipment.symbol_pipeline import Heard, Sizes, SymbolPipeline


def receiver_half(spec: RoleSpec, questions: Questions) -> SymbolPipeline:
    """Raises `BundleError`."""
    config = spec.config
    bundle = DeepscBundle.load(bundle_folder(config.bundle), "deepsc")
    return SymbolPipeline(config, bundle.fingerprint, _Classes(bundle, pick_device(config.device)))


class _Classes:
    def __init__(self, bundle: DeepscBundle, device: str) -> None:
        config, receiver = bundle.config, bundle.end("receiver", device)
        assert isinstance(config, DeepscConfig)
        assert isinstance(receiver, TextReceiver)
        self._receiver = receiver
        self._answers = config.answers
        self._device = device
        self.sizes = Sizes(config.uses_per_word, config.text_tokens)

    @torch.inference_mode()
    def answer(self, content: Heard | None, text: Heard) -> str:
        """Of a text of which every word was lost too: what is likeliest without any."""
        reals_1TR = as_reals(text, self._device)
        there_1T = torch.ones(reals_1TR.shape[:2], dtype=torch.bool, device=self._device)
        return self._answers[int(self._receiver(reals_1TR, there_1T).argmax())]

    def warm_up(self) -> None:
        self.answer(None, silence(self.sizes.words, self.sizes.uses_per_word))
