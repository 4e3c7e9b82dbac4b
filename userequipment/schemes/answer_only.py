"""Nothing but answers, at a UE: it reads what the base station says. Of the bundle it needs the tokenizer."""

from shared.semantic.bundle import Bundle
from shared.semantic.prompt import Prompts
from shared.spec import RoleSpec
from shared.starting import load_bundle
from userequipment.byte_pipeline import Arrived, BytePipeline, Said, text_of
from userequipment.half import Questions


def receiver_half(spec: RoleSpec, questions: Questions) -> BytePipeline:
    """Raises `BundleError`."""
    bundle = load_bundle(spec.config.bundle, "receiver")
    prompts = Prompts(bundle.config, bundle.text_codec)
    return BytePipeline(spec.config, bundle.fingerprint, _Answers(bundle), prompts, questions)


class _Answers:
    def __init__(self, bundle: Bundle) -> None:
        self._texts = bundle.text_codec

    def warm_up(self) -> None:
        """There is no model to warm up."""

    def answer(self, arrived: Arrived) -> Said:
        """Raises `Unanswerable`."""
        return Said([text_of(arrived.text or b"", self._texts)], [None])
