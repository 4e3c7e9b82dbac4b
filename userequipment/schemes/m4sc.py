"""M4SC at a UE: the channel decoders and this UE's replica of the language model."""

from shared.semantic.receiver import SemanticReceiver
from shared.spec import RoleSpec
from shared.starting import load_bundle, pick_device
from userequipment.half import Questions
from userequipment.pipeline import RequestPipeline


def receiver_half(spec: RoleSpec, questions: Questions) -> RequestPipeline:
    """Raises `BundleError` or OSError."""
    config = spec.config
    bundle = load_bundle(config.bundle, "receiver")
    receiver = SemanticReceiver(bundle, config.split_layer, pick_device(config.device), config.channel.codec)
    return RequestPipeline(config, receiver, questions=questions)
