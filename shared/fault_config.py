"""Faults at the emulator: what a configuration may say of each, parameters with their units.

Most are faults on messages. Those that derive from `AirAim` are faults of the air: they act on the samples of
what passes it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from shared.own_fault import FaultKind, own_fault
from shared.own_module import is_dotted

Direction = Literal["down", "up", "both"]
Class = Literal["public", "private", "side", "control", "feedback"]
AirClass = Literal["public", "private", "side"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
MAX_DELAY_MS = 10_000.0
_FRAMES: tuple[Class, ...] = ("public", "private")
_EVERYTHING: tuple[Class, ...] = ("public", "private", "side", "control", "feedback")


class Aim(BaseModel):
    """Which messages a fault meets, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    direction: Direction = "down"
    """Away from the base station, to it, or both."""
    classes: tuple[Class, ...] = Field(_FRAMES, min_length=1)
    """Classes of messages; what emulator and peers tell each other about sessions is never met."""
    users: tuple[int, ...] | None = None
    """Whose links; none: everybody's."""
    at_s: float = Field(0.0, ge=0.0, le=1e6)
    """From when on, after the run's first message."""
    for_s: float | None = Field(None, gt=0.0, le=1e6)
    """For how long; none: to the end."""

    @property
    def always(self) -> bool:
        return self.at_s == 0.0 and self.for_s is None


class AirAim(Aim):
    """What a fault of the air meets: symbol frames, and index maps where they are coded; downlinks only."""

    direction: Literal["down"] = "down"
    classes: tuple[AirClass, ...] = Field(("public", "private", "side"), min_length=1)

    def refusal(self, model: str, side_info: str) -> str:
        """Why this cannot be on a channel; empty if it can."""
        if model == "ideal":
            return "an ideal channel hands samples on as they are, expected another channel.model"
        if set(self.classes) == {"side"} and side_info == "genie":
            return "index maps pass the air only with channel.side_info 'ldpc'"
        return ""


class NoopConfig(Aim):
    """Nothing goes wrong."""

    fault: Literal["noop"]


class LossConfig(Aim):
    """Each message is lost with `probability`, independently of all others."""

    fault: Literal["loss"]
    probability: Share


class BurstLossConfig(Aim):
    """Gilbert-Elliott: before each message a link turns bad or good again, and loses as its state has it."""

    fault: Literal["burst_loss"]
    turn_bad: Share
    turn_good: Share
    loss_good: Share = 0.0
    loss_bad: Share = 1.0


class PartitionConfig(Aim):
    """Nothing passes, one way or both."""

    fault: Literal["partition"]
    direction: Direction = "both"
    classes: tuple[Class, ...] = Field(_EVERYTHING, min_length=1)


class DelayConfig(Aim):
    """Messages come later, by `delay_ms` and what `distribution` makes of `jitter_ms`; they may overtake.

    uniform: up to `jitter_ms` more or less; normal: that is the standard deviation; pareto: so many times a
    Lomax variable of shape 3 more (mean 1/2). Never less than nothing. `correlation`: with the link's message
    before, of the normal variables behind it.
    """

    fault: Literal["delay"]
    delay_ms: float = Field(ge=0.0, le=MAX_DELAY_MS)
    jitter_ms: float = Field(0.0, ge=0.0, le=MAX_DELAY_MS)
    distribution: Literal["uniform", "normal", "pareto"] = "uniform"
    correlation: float = Field(0.0, ge=0.0, lt=1.0)


class ReorderConfig(Aim):
    """A message is held for `hold_ms` with `probability`: those behind it overtake."""

    fault: Literal["reorder"]
    probability: Share
    hold_ms: float = Field(20.0, gt=0.0, le=MAX_DELAY_MS)


class DuplicateConfig(Aim):
    """A message comes `copies` times more with `probability`."""

    fault: Literal["duplicate"]
    probability: Share
    copies: int = Field(1, ge=1, le=8)


class CorruptConfig(Aim):
    """Of the payload of a message every bit is wrong with `bit_error_rate`; the header is whole.

    Analog frames then carry wrong samples. Messages without a payload are left alone.
    """

    fault: Literal["corrupt"]
    probability: Share = 1.0
    bit_error_rate: float = Field(gt=0.0, le=0.5)


class TruncateConfig(Aim):
    """Of the payload of a message only the first `keep` arrives, with `probability`."""

    fault: Literal["truncate"]
    probability: Share
    keep: float = Field(0.5, ge=0.0, lt=1.0)


class RateLimitConfig(Aim):
    """A link carries so many payload bytes a second; what finds `queue_kbytes` waiting is lost."""

    fault: Literal["rate_limit"]
    kbytes_per_s: float = Field(gt=0.0)
    queue_kbytes: float = Field(256.0, gt=0.0)


class CorruptHeaderConfig(Aim):
    """Of a message's header so many `bits` are wrong, with `probability`: no receiver can read it."""

    fault: Literal["corrupt_header"]
    probability: Share = 1.0
    bits: int = Field(1, ge=1, le=64)


class DeepFadeConfig(AirAim):
    """The signal is received `depth_db` weaker, pilots too; the noise stays."""

    fault: Literal["deep_fade"]
    depth_db: float = Field(gt=0.0, le=100.0)


class SnrDropConfig(AirAim):
    """The noise is `drop_db` stronger; with `ramp` it grows to that over the window, linearly in dB."""

    fault: Literal["snr_drop"]
    drop_db: float = Field(gt=0.0, le=60.0)
    ramp: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.ramp and self.for_s is None:
            raise ValueError("snr_drop: a ramp needs a window, expected for_s")
        return self


class JammerConfig(AirAim):
    """Gaussian bursts of `burst_uses` channel uses of the downlink's clock, on for a `share` of them.

    `jam_to_signal_db`: power while on, over the average power of the received signal.
    """

    fault: Literal["jammer"]
    jam_to_signal_db: float = Field(ge=-50.0, le=50.0)
    share: float = Field(1.0, gt=0.0, le=1.0)
    burst_uses: int = Field(512, ge=16, le=65_536)


class StaleCsiConfig(AirAim):
    """What receivers learn the channel from is old: of `correlation` with the channel that data meets."""

    fault: Literal["stale_csi"]
    correlation: float = Field(ge=0.0, lt=1.0)

    def refusal(self, model: str, side_info: str) -> str:
        if model == "awgn":
            return "an AWGN channel never changes, expected a channel.model that fades"
        return super().refusal(model, side_info)


class ClippingConfig(AirAim):
    """A receiver's front end saturates at `clip_db` above the RMS amplitude of what it receives."""

    fault: Literal["clipping"]
    clip_db: float = Field(ge=-20.0, le=20.0)


class OwnFaultConfig(Aim):
    """A fault of one's own: `fault` is the dotted name of a module, whose keys stand beside it.

    They are checked here, and read again, with their types, by the emulator (`of_its_module`).
    """

    model_config = ConfigDict(extra="allow")
    fault: str = Field(max_length=256)

    @model_validator(mode="after")
    def _check(self) -> Self:
        try:
            self.of_its_module()
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"{self.fault}: {place}: {first['msg']}") from None
        return self

    def of_its_module(self) -> tuple[FaultKind, Aim]:
        """The kind, and these settings as its own model. Raises ValueError, pydantic's among them."""
        kind = own_fault(self.fault, FAULT_CONFIGS)
        settings = kind.config.model_validate(self.model_dump())
        if not isinstance(settings, Aim):
            raise ValueError(f"fault: {self.fault}: expected a config that derives from Aim")
        return kind, settings


def _is_own(fault: Any) -> str:
    """By which models a fault, or a map that may be one, is checked."""
    name = fault.get("fault") if isinstance(fault, Mapping) else getattr(fault, "fault", None)
    return "own" if isinstance(name, str) and is_dotted(name) else "listed"


Listed = (
    NoopConfig
    | LossConfig
    | BurstLossConfig
    | PartitionConfig
    | DelayConfig
    | ReorderConfig
    | DuplicateConfig
    | CorruptConfig
    | TruncateConfig
    | RateLimitConfig
    | CorruptHeaderConfig
    | DeepFadeConfig
    | SnrDropConfig
    | JammerConfig
    | StaleCsiConfig
    | ClippingConfig
)
FaultConfig = Annotated[
    Annotated[Listed, Field(discriminator="fault"), Tag("listed")] | Annotated[OwnFaultConfig, Tag("own")],
    Discriminator(_is_own),
]
LOSSES: Final = ("loss", "burst_loss", "partition", "corrupt_header")
"""Faults that only lose messages; the ledger counts those by the fault's name."""
FAULT_CONFIGS: Final = {get_args(m.model_fields["fault"].annotation)[0]: m for m in get_args(Listed)}
"""The models by the names of the faults."""
_ADAPTER: Final[TypeAdapter[FaultConfig]] = TypeAdapter(FaultConfig)


def parse_fault(data: Any) -> FaultConfig:
    """One fault from a plain map. Raises pydantic's `ValidationError`."""
    return _ADAPTER.validate_python(data)
