"""DeepSC-VQA at a UE: its reasoning network answers a question about a picture, both as received."""

import torch

from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.config import DeepscVqaConfig
from shared.deepsc.vqa import VqaReceiver
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.starting import pick_device
from userequipment.deepsc_heard import as_reals, silence
from userequipment.half import Questions
from userequipment.symbol_pipeline import Heard, Sizes, SymbolPipeline

_WARM_UP_WORDS = 8


def receiver_half(spec: RoleSpec, questions: Questions) -> SymbolPipeline:
    """Raises `BundleError`."""
    config = spec.config
    bundle = DeepscBundle.load(bundle_folder(config.bundle), "deepsc_vqa")
    return SymbolPipeline(config, bundle.fingerprint, _Answers(bundle, pick_device(config.device)))


class _Answers:
    def __init__(self, bundle: DeepscBundle, device: str) -> None:
        config, receiver = bundle.config, bundle.end("receiver", device)
        assert isinstance(config, DeepscVqaConfig)
        assert isinstance(receiver, VqaReceiver)
        self._receiver = receiver
        self._answers = config.answers
        self._device = device
        self.sizes = Sizes(config.uses_per_word, config.text_tokens, config.patches, config.uses_per_patch)

    @torch.inference_mode()
    def answer(self, content: Heard | None, text: Heard) -> str:
        """Where there is no picture, or nothing of it arrived: what the question alone suggests."""
        sizes = self.sizes
        picture = silence(sizes.patches, sizes.uses_per_patch) if content is None else content
        patches_1ND = self._receiver.see(as_reals(picture, self._device, sizes.uses_per_patch))
        reals_1TR = as_reals(text, self._device)
        there_1T = torch.ones(reals_1TR.shape[:2], dtype=torch.bool, device=self._device)
        row_1 = torch.zeros(1, dtype=torch.long, device=self._device)
        return self._answers[int(self._receiver(patches_1ND, row_1, reals_1TR, there_1T).argmax())]

    def warm_up(self) -> None:
        self.answer(None, silence(_WARM_UP_WORDS, self.sizes.uses_per_word))
