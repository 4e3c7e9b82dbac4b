"""The configuration of a run: every key checked, units in the names. How it is read: `config_file`."""

from ipaddress import ip_network
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.air.snr_trace import check_steps
from shared.baseline_config import BaselineConfig
from shared.channel_config import ChannelConfig
from shared.config_section import Section
from shared.keys import MAX_KEY_USERS
from shared.process_fault_config import ProcessFaultConfig, check_roles
from shared.rate import EIGHTHS, Prefixes
from shared.schemes import check_scheme, scheme_of
from shared.semantic_cache import SLOTS
from shared.workload_config import WorkloadConfig


class SharingConfig(Section):
    """Which tokens of different users count as the same."""

    enabled: bool = True
    """Whether anything is sent once for several users, or one token for several places."""
    similar: Literal["anywhere", "within_image", "nowhere"] = "anywhere"
    """Where a token may come from that stands in for another; exact duplicates are sent once all the same."""
    compare_at: Literal["split", "projector"] = "split"
    """Whether image tokens are compared as they are sent, at the split, or as the projector made them."""
    least_snr_db: float = Field(8.0, ge=-50.0, le=100.0)
    """At a lower average SNR a user's own tokens are sent: noise on a token hits all that it stands for."""
    cosine_threshold: float = Field(0.97, ge=-1.0, le=1.0)
    """Least cosine similarity of a token and the one that stands in for it."""
    mean_threshold: float = Field(0.3, ge=0.0)
    """Largest difference of the two vectors' means, over the larger standard deviation."""
    variance_threshold: float = Field(0.3, ge=0.0)
    """Largest difference of the two vectors' variances, over the larger one."""


Kept = Annotated[int, Field(ge=1)]


class RateConfig(Section):
    """The operating point: how much of each image and text is sent."""

    selection: Literal["salient", "question"] = "salient"
    """'question': first the tokens that the base station's own reasoning about the question names, then the
    most salient (with no `image_tokens`: those named alone)."""
    image_tokens: Kept | tuple[Kept | None, ...] | None = None
    """Only so many of the most salient tokens, whatever is asked about them (none: all); a list has a number
    for each user, and what several of them get is sent once."""
    image_eighths: int = Field(EIGHTHS, ge=1, le=EIGHTHS)
    """Of each image token's channel uses, the first so many eighths (`shared.rate`)."""
    text_eighths: int = Field(EIGHTHS, ge=1, le=EIGHTHS)
    """The same of the tokens of questions and other texts."""
    target: float | None = Field(None, gt=0.0, le=1.0)
    """As few tokens as give this share of the accuracy of all, by a user's average SNR and what was measured
    of the bundle (`shared.rate_table`)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.target is not None and self.image_tokens is not None:
            raise ValueError("target: image_tokens says already how many tokens are sent")
        if self.target is not None and self.selection == "question":
            raise ValueError("target: what was measured is of selection 'salient'")
        return self

    @property
    def prefixes(self) -> Prefixes:
        """How much of every token is sent."""
        return Prefixes(self.image_eighths, self.text_eighths)

    def image_tokens_of(self, user: int) -> int | None:
        """Of one user."""
        return self.image_tokens[user] if isinstance(self.image_tokens, tuple) else self.image_tokens


class CacheConfig(Section):
    """The semantic cache of a UE: images that it keeps, to be referred to instead of sent again."""

    images: int = Field(0, ge=0, le=SLOTS)
    """How many a UE keeps; 0: none."""
    max_fade_db: float = Field(3.0, ge=0.0, le=100.0)
    """One that was received farther than this below the user's average SNR is not kept."""


class RetransmissionConfig(Section):
    """NACK-based retransmission of missing frames and, with `least_snr_db`, of faint ones."""

    least_snr_db: float | None = Field(None, ge=-50.0, le=100.0)
    """A frame whose post-equaliser SNR, all its copies combined, is below this is asked for again."""
    max_attempts: int = Field(3, ge=1, le=16)
    """How often a frame goes to one user at most, the first time included."""
    frames_at_once: int = Field(3, ge=1, le=3)
    """How many public frames one analog retransmission carries at most, to users who lack one of them."""
    nack_after_ms: int = Field(60, ge=1)
    """How long after the last arrival a UE asks for what is missing, then after twice that, ...."""
    feedback_timeout_ms: int = Field(2_000, ge=1)
    """After which an unacknowledged answer is repeated; a UE that is silent half as long again is polled."""


class LimitsConfig(Section):
    """Bounds on what comes in and on what may wait."""

    image_bytes: int = Field(16 * 2**20, ge=1)
    """Of an image file."""
    image_pixels: int = Field(25_000_000, ge=1)
    """Of an image, width times height."""
    text_chars: int = Field(4_096, ge=1, le=4_096)
    """Of a question or review."""
    open_requests: int = Field(256, ge=1)
    """Beyond, the base station refuses ('busy')."""
    queue_bytes_per_user: int = Field(64 * 2**20, ge=1)
    """Wire bytes that may wait for one user; what finds no room is dropped ('queue_overflow')."""
    credit_bytes: int = Field(4 * 2**20, ge=65_536)
    """Wire bytes that may be under way to one user, not yet reported as consumed."""


class LivenessConfig(Section):
    """How a silent process is found out."""

    heartbeat_ms: int = Field(500, ge=10)
    """Between two signs of life, both ways."""
    timeout_ms: int = Field(5_000, ge=50)
    """After so much silence a peer is gone."""


class PlacementConfig(Section):
    """Which hosts of the cluster take which roles, each by its host name or the address of its Ray node.

    What is left out is decided by node labels (`launch.placement`).
    """

    bs: str | None = None
    """Of the base station."""
    ce: str | None = None
    """Of the channel emulator."""
    ues: tuple[str, ...] = ()
    """Of the UEs, in turn."""


class ClusterConfig(Section):
    """Where the processes run."""

    address: str | None = None
    """Of a running Ray cluster; none: a private Ray on this machine."""
    start_timeout_s: float = Field(60.0, gt=0.0)
    """How long roles may take until they are ready."""
    placement: PlacementConfig = PlacementConfig()
    """Which hosts take which roles."""
    data_network: str | None = None
    """In CIDR notation, the network that carries the data plane; each host advertises its own address in it
    (none: that of its Ray node)."""
    host_timeout_s: float = Field(10.0, ge=1.0, le=600.0)
    """A host whose agent says nothing for so long is lost."""
    bundle_copy_mib: int = Field(4_096, ge=0)
    """A larger bundle is not copied to hosts that lack it."""

    @field_validator("data_network")
    @classmethod
    def _is_network(cls, value: str | None) -> str | None:
        if value is not None:
            ip_network(value)  # its ValueError says what is wrong
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.address is None and (self.placement != PlacementConfig() or self.data_network is not None):
            raise ValueError("placement and data_network need cluster.address: a private Ray has one host")
        return self


class ResourcesConfig(Section):
    """What every process uses, sampled into the run folder."""

    every_s: float | None = Field(None, ge=0.1, le=3_600.0)
    """Between two samples; none: not at all."""


class JournalConfig(Section):
    """What is written down of a run beside what its verdict needs."""

    symbols: int = Field(32, ge=0, le=1_024)
    """Received symbols of every request, before and after equalisation, to be looked at; 0: none."""


class SecurityConfig(Section):
    """Encryption and authentication of the links."""

    curve: bool | None = None
    """CURVE on all links; none: where a run has more than one host."""

    def curve_on(self, hosts: int = 1) -> bool:
        """Whether the links of a run on so many hosts are encrypted."""
        return hosts > 1 if self.curve is None else self.curve


class ChaosConfig(Section):
    """Of a run under a scenario of faults: when all end, and how long until everybody is served again.

    Both count from the begin of the workload on; who asks `drain_s` after `heal_s` must be answered.
    """

    scenario: str = ""
    """Its name."""
    heal_s: float = Field(gt=0.0, le=1e6)
    """When all faults end."""
    drain_s: float = Field(10.0, ge=0.0, le=3_600.0)
    """Who asks later than this after `heal_s` must be answered."""


class RunConfig(Section):
    """One run, complete."""

    name: str = "run"
    """What the run folder is called after its time."""
    seed: int = Field(0, ge=0)
    """Of everything that is drawn: the workload, fading, noise, faults."""
    users: int = Field(4, ge=1, le=65_536)
    """UEs, each a process of its own, numbered from 0."""
    scheme: str = Field("m4sc", max_length=256)
    """One of `shared.schemes`, or a module that has a SCHEME (extending.md)."""
    bundle: str = "micro"
    """The weights: the name of a shipped bundle, or a folder."""
    split_layer: int | None = Field(None, ge=0)
    """How many layers of the language model are the base station's; none: the bundle's own number."""
    question_at: Literal["bs", "ue"] = "bs"
    """Whether the workload's questions about images are sent with them by the base station, or asked at the
    UE after the image alone was sent. Questions from outside (`m4sc ask`, uplink) are always sent."""
    control: Literal["none", "image_erased", "another_image"] = "none"
    """What every answer is held against: the same question with every image token erased, or the run with
    the picture of another scene in the place of each."""
    reasoning: bool = True
    """Whether the model writes a trace before its answer."""
    window_ms: int = Field(50, ge=0, le=60_000)
    """Requests that arrive within it are one group: encoded and compared together."""
    max_group: int = Field(32, ge=1, le=1_024)
    """Requests in one group at most."""
    deadline_ms: int = Field(30_000, ge=1, le=2**31 - 1)
    """A request that has not ended by then expires."""
    max_new_tokens: int | None = Field(None, ge=1, le=1_024)
    """Tokens that an answer may have; none: what the task needs."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What models compute on; 'auto': CUDA where there is one."""
    channel: ChannelConfig = ChannelConfig()
    """The air."""
    sharing: SharingConfig = SharingConfig()
    """What is sent once."""
    rate: RateConfig = RateConfig()
    """How much of an image is sent."""
    cache: CacheConfig = CacheConfig()
    """What is not sent again."""
    baseline: BaselineConfig = BaselineConfig()
    """Schemes that send pictures."""
    workload: WorkloadConfig = WorkloadConfig()
    """What is asked."""
    retransmission: RetransmissionConfig = RetransmissionConfig()
    """What is sent again."""
    limits: LimitsConfig = LimitsConfig()
    """Bounds."""
    liveness: LivenessConfig = LivenessConfig()
    """Heartbeats."""
    cluster: ClusterConfig = ClusterConfig()
    """Hosts."""
    resources: ResourcesConfig = ResourcesConfig()
    """What processes use."""
    journal: JournalConfig = JournalConfig()
    """What is written down to be looked at."""
    security: SecurityConfig = SecurityConfig()
    """Encryption."""
    process_faults: tuple[ProcessFaultConfig, ...] = Field((), max_length=1_024)
    """Faults on processes, by the clock (scenarios.md)."""
    chaos: ChaosConfig | None = None
    """Set by `m4sc chaos`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.channel.snr_db, tuple) and len(self.channel.snr_db) != self.users:
            raise ValueError(f"channel.snr_db lists {len(self.channel.snr_db)} values for {self.users} users")
        if self.security.curve_on() and self.users > MAX_KEY_USERS:
            raise ValueError(f"security.curve: at most {MAX_KEY_USERS} users, not {self.users}")
        check_roles(self.process_faults, self.users)
        for number, aimed in enumerate(self.channel.faults):
            if strangers := [user for user in aimed.users or () if not 0 <= user < self.users]:
                raise ValueError(
                    f"channel.faults.{number}.users: there is no user {strangers[0]} among {self.users}"
                )
        kept = self.rate.image_tokens
        if isinstance(kept, tuple) and len(kept) != self.users:
            raise ValueError(f"rate.image_tokens lists {len(kept)} values for {self.users} users")
        try:
            check_steps(self.channel.snr_trace, self.users)
        except ValueError as error:
            raise ValueError(f"channel.snr_trace: {error}") from None
        for key in ("image_eighths", "text_eighths"):
            if self.channel.codec == "bypass" and getattr(self.rate, key) < EIGHTHS:
                raise ValueError(f"rate.{key}: channel.codec 'bypass' sends whole vectors, expected 8")
        if self.rate.selection == "question" and self.question_at == "ue":
            raise ValueError("rate.selection 'question': questions asked at the UE are not known before")
        if self.rate.selection == "question" and self.cache.images:
            raise ValueError("rate.selection 'question': tokens for one question, expected cache.images 0")
        if self.question_at == "ue" and not self.workload.may_ask_about_images:
            raise ValueError("question_at 'ue' needs questions about images: vqa among workload.tasks")
        check_scheme(scheme_of(self.scheme), self)
        return self
