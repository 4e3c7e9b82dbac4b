"""Pictures by an image codec, at a UE: decoded, and asked about with its own whole model.

A picture that is lost is one whose tokens are all erased: the model says what it can without it.
"""

from shared import image_code
from shared.picture_file import PictureError
from shared.semantic.bundle import Bundle
from shared.semantic.whole import Prompt
from shared.spec import RoleSpec
from shared.starting import load_bundle
from userequipment.byte_pipeline import Arrived, BytePipeline, Said, question_of
from userequipment.half import Questions
from userequipment.local_answers import LocalModel


def receiver_half(spec: RoleSpec, questions: Questions) -> BytePipeline:
    """Raises `BundleError`."""
    config = spec.config
    bundle = load_bundle(config.bundle)
    local = LocalModel(config, bundle)
    scheme = _Pictures(local, bundle, config.baseline.image_codec, config.limits.image_pixels)
    return BytePipeline(config, bundle.fingerprint, scheme, local.model.prompts, questions)


class _Pictures:
    def __init__(
        self, local: LocalModel, bundle: Bundle, codec: image_code.ImageCodec, max_pixels: int
    ) -> None:
        self._local = local
        self._texts = bundle.text_codec
        self._codec = codec
        self._max_pixels = max_pixels

    def warm_up(self) -> None:
        self._local.warm_up()

    def answer(self, arrived: Arrived) -> Said:
        """Raises `Unanswerable`."""
        question = question_of(arrived, self._texts)
        picture, missing = None, ""
        if arrived.content is not None:
            try:
                picture = image_code.decode(arrived.content, self._codec, self._max_pixels)
            except PictureError as error:
                missing = f"picture: {error}"
        prompt = Prompt(arrived.task, question, picture, has_image=arrived.has_content)
        blind = prompt if arrived.has_content else None
        return self._local.answers(prompt, arrived.questions, blind, missing)
