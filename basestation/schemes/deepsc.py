"""DeepSC at the base station: every word of a text by its transformer and channel encoder."""

from collections.abc import Mapping, Sequence

from basestation.encode import AdmittedRequest
from basestation.symbol_plan import Parts, SymbolPipeline, Symbols
from basestation.words import WordSender
from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.text import TextSender
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.starting import pick_device


def sender_half(spec: RoleSpec) -> SymbolPipeline:
    """Raises `BundleError`."""
    config = spec.config
    bundle = DeepscBundle.load(bundle_folder(config.bundle), "deepsc")
    sender = bundle.end("sender", pick_device(config.device))
    assert isinstance(sender, TextSender)
    words = WordSender(bundle, sender)

    def parts_of(requests: Sequence[AdmittedRequest]) -> Mapping[str, Parts[Symbols]]:
        return {r.request_id: Parts(text=words.part(r.text)) for r in requests}

    return SymbolPipeline(config, bundle.fingerprint, parts_of)
