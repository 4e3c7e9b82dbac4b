"""M4SC at the base station: its bundle's sender half, at the operating point that the run asks for."""

from basestation.foresight import Foresight
from basestation.pipeline import GroupPipeline
from shared.config import RunConfig
from shared.rate_table import read_rates
from shared.semantic.bundle import Bundle
from shared.semantic.sender import SemanticSender
from shared.semantic.whole import WholeModel
from shared.spec import RoleSpec
from shared.starting import load_bundle, pick_device


def sender_half(spec: RoleSpec) -> GroupPipeline:
    """Raises `BundleError`, `RateTableError`, ValueError or OSError."""
    config = spec.config
    if config.rate.selection == "question":
        return _by_question(config)
    bundle = load_bundle(config.bundle, "sender")
    config = _at_its_rate(config, bundle)
    sender = SemanticSender(bundle, config.split_layer, pick_device(config.device), config.channel.codec)
    return GroupPipeline(config, sender)


def _by_question(config: RunConfig) -> GroupPipeline:
    """With the whole model, whose reasoning says which tokens a question is about."""
    bundle = load_bundle(config.bundle)
    if not bundle.config.traces:
        raise ValueError(f"rate.selection: bundle {config.bundle} does not reason, expected 'salient'")
    whole = WholeModel(bundle, config.split_layer, pick_device(config.device), config.channel.codec)
    return GroupPipeline(config, whole.sender, foresee=Foresight(whole))


def _at_its_rate(config: RunConfig, bundle: Bundle) -> RunConfig:
    """With a target turned into operating points. Raises `RateTableError`."""
    if config.rate.target is None:
        return config
    table = read_rates(bundle.path, bundle.fingerprint)
    return config.model_copy(update={"rate": table.meet(config.rate, config.channel, config.users)})
