"""The scene as text, at the base station: its model's caption of the picture, and the questions."""

from collections.abc import Mapping, Sequence

from basestation.at_once import Speaker
from basestation.byte_plan import BytePipeline, Parts
from basestation.encode import AdmittedRequest
from basestation.question_part import question_part
from shared.spec import RoleSpec
from shared.starting import load_bundle
from shared.texts import pack


def sender_half(spec: RoleSpec) -> BytePipeline:
    """Raises `BundleError`."""
    bundle = load_bundle(spec.config.bundle)
    speaker, codec = Speaker(spec.config, bundle), bundle.text_codec

    def parts_of(requests: Sequence[AdmittedRequest]) -> Mapping[str, Parts]:
        return {
            r.request_id: Parts(
                None if r.image is None else pack(speaker.say("caption", "", r), codec),
                question_part(r, speaker.prompts, codec),
            )
            for r in requests
        }

    return BytePipeline(spec.config, bundle.fingerprint, parts_of)
