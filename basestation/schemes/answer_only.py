"""Nothing but answers, at the base station: the whole model runs here, and its words are sent."""

from collections.abc import Mapping, Sequence

from basestation.at_once import Speaker
from basestation.byte_plan import BytePipeline, Parts
from basestation.encode import AdmittedRequest
from shared.spec import RoleSpec
from shared.starting import load_bundle
from shared.texts import pack


def sender_half(spec: RoleSpec) -> BytePipeline:
    """Raises `BundleError`."""
    bundle = load_bundle(spec.config.bundle)
    speaker = Speaker(spec.config, bundle)

    def parts_of(requests: Sequence[AdmittedRequest]) -> Mapping[str, Parts]:
        answers = {r.request_id: speaker.say(r.task, r.text, r) for r in requests}
        return {name: Parts(text=pack(said, bundle.text_codec)) for name, said in answers.items()}

    return BytePipeline(spec.config, bundle.fingerprint, parts_of)
