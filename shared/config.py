"""The configuration of a run: every key checked, units in the names. How it is read: `config_file`."""

from bisect import bisect_right
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.air.snr_trace import Step, check_steps, read_snr_trace
from shared.baseline_config import BaselineConfig
from shared.fault_config import AirAim, FaultConfig
from shared.keys import MAX_KEY_USERS
from shared.process_fault_config import ProcessFaultConfig, check_roles
from shared.rate import EIGHTHS
from shared.schemes import check_scheme, scheme_of
from shared.semantic_cache import SLOTS

Task = Literal["vqa", "caption", "text_classification"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _fits_a_word(cls, value: Any) -> Any:
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError("expected a number of at most 63 bits")
        return value


class InterferenceConfig(_Section):
    """A transmitter elsewhere: bursts of Gaussian symbols that some users hear (none listed: all do).

    `sir_db`: average received signal power over its power while it is on. Time is cut into bursts of
    `burst_uses` channel uses of the downlink's clock, of which it is on in a share `duty`, drawn by seed.
    """

    sir_db: float = Field(ge=-50.0, le=100.0)
    duty: float = Field(1.0, gt=0.0, le=1.0)
    burst_uses: int = Field(512, ge=16, le=65_536)
    users: tuple[int, ...] | None = None


class ChannelConfig(_Section):
    """The air. SNR is average received Es/N0 per channel use; E|h|^2 = 1; unit average transmit power.

    `k_factor_db`: of 'rician', the power of the line of sight over that of the scatter. `delay_spread_ns`: of
    the 3GPP profiles, RMS. Models of several taps are seen through an OFDM grid of `subcarriers`.
    `snr_trace`, given as a CSV file's path, is the SNR over time (`air.snr_trace`); `snr_db` is then what is
    known of it beforehand. `public_power_db`: the power of a group's public symbols over that of its private
    ones; the group's average stays one. `side_info`: index maps cross error-free, or coded (`air.side_code`).
    `interference`: bursts from elsewhere, of which receivers are told nothing. `mode` digital:
    `quantiser_bits` for each real value of a token's symbols, through `air.transport`.
    """

    model: Literal[
        "ideal", "awgn", "rayleigh", "rician", "tdl_a", "tdl_b", "tdl_c", "tdl_d", "tdl_e",
        "cdl_a", "cdl_b", "cdl_c", "cdl_d", "cdl_e", "lam_msc",
    ] = "awgn"  # fmt: skip
    k_factor_db: float = Field(6.0, ge=-30.0, le=40.0)
    delay_spread_ns: float = Field(100.0, ge=0.0, le=10_000.0)
    subcarriers: int = Field(256, ge=1, le=4_096)
    subcarrier_spacing_khz: float = Field(30.0, gt=0.0, le=960.0)
    snr_db: float | tuple[float, ...] = 10.0
    snr_trace: tuple[Step, ...] = ()
    coherence: Literal["request", "uses"] = "request"
    coherence_uses: int = Field(4_096, ge=1)
    csi: Literal["pilots", "genie"] = "pilots"
    estimator: Literal["ls", "lmmse"] = "ls"
    pilot_uses: int = Field(16, ge=1, le=4_096)
    public_power_db: float = Field(0.0, ge=-20.0, le=20.0)
    sample_format: Literal["cf32", "cs16", "cs8"] = "cs16"
    side_info: Literal["genie", "ldpc"] = "genie"
    mode: Literal["analog", "digital"] = "analog"
    quantiser_bits: int = Field(3, ge=1, le=5)
    codec: Literal["linear", "bypass"] = "linear"
    tokens_per_frame: int = Field(16, ge=1, le=4_096)
    interference: tuple[InterferenceConfig, ...] = ()
    faults: tuple[FaultConfig, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.codec == "bypass" and (self.model != "ideal" or self.sample_format != "cf32"):
            raise ValueError("channel.codec 'bypass' needs channel.model 'ideal' and sample_format 'cf32'")
        if self.interference and self.model == "ideal":
            raise ValueError("channel.interference: an ideal channel has none")
        for number, fault in enumerate(self.faults):
            if isinstance(fault, AirAim) and (why := fault.refusal(self.model, self.side_info)):
                raise ValueError(f"channel.faults.{number}: {fault.fault}: {why}")
        if self.mode == "digital" and (self.codec == "bypass" or self.public_power_db):
            raise ValueError("channel.mode 'digital' needs channel.codec 'linear' and public_power_db 0")
        values = self.snr_db if isinstance(self.snr_db, tuple) else (self.snr_db,)
        if not all(-50.0 <= v <= 100.0 for v in values):
            raise ValueError("channel.snr_db must lie in [-50, 100] dB")
        return self

    @field_validator("snr_trace", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_snr_trace(Path(value)) if isinstance(value, str) else value

    def snr_db_of(self, user: int) -> float:
        """Average SNR of one user in dB; a list gives one value per user."""
        return self.snr_db[user] if isinstance(self.snr_db, tuple) else self.snr_db

    def snr_db_at(self, user: int, first_use: int) -> float:
        """SNR of one user in dB for what is sent at a channel use of the downlink's clock."""
        if not self.snr_trace:
            return self.snr_db_of(user)
        starts, values = self._steps_of[user]
        return values[bisect_right(starts, first_use) - 1]

    @cached_property
    def _steps_of(self) -> dict[int, tuple[list[int], list[float]]]:
        """Of each user: where steps begin, and their SNRs."""
        found: dict[int, tuple[list[int], list[float]]] = {}
        for first_use, user, snr_db in self.snr_trace:
            starts, values = found.setdefault(user, ([], []))
            starts.append(first_use)
            values.append(snr_db)
        return found


class SharingConfig(_Section):
    """Which tokens of different users count as the same (section 4 of the design's request life).

    `similar`: where a token is looked for that may stand in for another; exact duplicates are sent once all
    the same. `compare_at`: whether image tokens are compared as they are sent, at the split, or as the
    projector made them. `least_snr_db`: at a lower average SNR a user's own tokens are sent, since noise that
    hits a token hits all places that it stands for.
    """

    enabled: bool = True
    similar: Literal["anywhere", "within_image", "nowhere"] = "anywhere"
    compare_at: Literal["split", "projector"] = "split"
    least_snr_db: float = Field(8.0, ge=-50.0, le=100.0)
    cosine_threshold: float = Field(0.95, ge=-1.0, le=1.0)
    mean_threshold: float = Field(0.3, ge=0.0)
    variance_threshold: float = Field(0.3, ge=0.0)


Kept = Annotated[int, Field(ge=1)]


class RateConfig(_Section):
    """The operating point: how much of each image is sent.

    `image_tokens`: only the most salient ones, whatever is asked about them (none: all); a list has a number
    for each user, and what several of them get is sent once. `selection` 'question': first those that the
    base station's own reasoning about the question names, then the most salient (none: those named alone).
    `image_eighths`: of each one's channel uses, the first so many eighths (`shared.rate`). `target`: as few
    tokens as give this share of the accuracy of all, by a user's average SNR and what was measured of the
    bundle (`shared.rate_table`).
    """

    selection: Literal["salient", "question"] = "salient"
    image_tokens: Kept | tuple[Kept | None, ...] | None = None
    image_eighths: int = Field(EIGHTHS, ge=1, le=EIGHTHS)
    target: float | None = Field(None, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.target is not None and self.image_tokens is not None:
            raise ValueError("target: image_tokens says already how many tokens are sent")
        if self.target is not None and self.selection == "question":
            raise ValueError("target: what was measured is of selection 'salient'")
        return self

    def image_tokens_of(self, user: int) -> int | None:
        """Of one user."""
        return self.image_tokens[user] if isinstance(self.image_tokens, tuple) else self.image_tokens


class CacheConfig(_Section):
    """The semantic cache of a UE: images that it keeps (0: none), to be referred to instead of sent again.

    One that was received more than `max_fade_db` below the user's average SNR is not kept.
    """

    images: int = Field(0, ge=0, le=SLOTS)
    max_fade_db: float = Field(3.0, ge=0.0, le=100.0)


PerS = Annotated[float, Field(gt=0.0, le=1e6)]


class WorkloadConfig(_Section):
    """What the users ask. `overlap` is the fraction of users asking about one common image.

    `questions` of a folder are written on its scene graphs or taken from its file; `fit_text` cuts reviews to
    what the bundle accepts, where otherwise long ones are left out. `requests_per_s`: all users together; a
    list cuts the run's time into equal parts, each at its own rate. `arrivals`: all users at once, in rounds;
    or, 'poisson', each by itself, at random.
    """

    source: Literal["clevr_style", "clevr_folder", "imdb_file", "requests_file"] = "clevr_style"
    root: str | None = None
    split: str = "heldout"
    requests: int = Field(16, ge=1, le=1_000_000)
    limit: int | None = Field(None, ge=1)
    overlap: float = Field(0.0, ge=0.0, le=1.0)
    tasks: tuple[Task, ...] = ("vqa",)
    families: tuple[str, ...] = ("zero_hop",)
    questions: Literal["written", "file"] = "written"
    fit_text: bool = False
    questions_per_image: int = Field(6, ge=1, le=1_000)
    requests_per_s: PerS | Annotated[tuple[PerS, ...], Field(min_length=1, max_length=64)] | None = None
    arrivals: Literal["rounds", "poisson"] = "rounds"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.arrivals == "poisson":
            if self.requests_per_s is None:
                raise ValueError("arrivals 'poisson' needs workload.requests_per_s")
            if self.source == "requests_file":
                raise ValueError("arrivals 'poisson': a file of requests says itself when they come")
            if self.overlap:
                raise ValueError("arrivals 'poisson' needs overlap 0: nobody asks together with others")
        return self

    @property
    def rates_per_s(self) -> tuple[float, ...]:
        """Of the equal parts of the run's time; none: arrivals are virtual."""
        given = self.requests_per_s
        if given is None:
            return ()
        return given if isinstance(given, tuple) else (given,)

    @property
    def asked_tasks(self) -> tuple[str, ...]:
        """What is asked for sure; a file of requests says so itself, later."""
        if self.source == "requests_file":
            return ()
        return ("text_classification",) if self.source == "imdb_file" else self.tasks

    @property
    def may_ask_about_images(self) -> bool:
        """Whether the tasks allow it; a file of requests says itself what is asked."""
        return self.source == "requests_file" or (self.source != "imdb_file" and "vqa" in self.tasks)


class RetransmissionConfig(_Section):
    """NACK-based retransmission of missing frames and, with `least_snr_db`, of faint ones.

    A frame whose post-equaliser SNR, all its copies combined, is below `least_snr_db` is asked for again.
    """

    least_snr_db: float | None = Field(None, ge=-50.0, le=100.0)
    max_attempts: int = Field(3, ge=1, le=16)
    nack_after_ms: int = Field(60, ge=1)
    feedback_timeout_ms: int = Field(2_000, ge=1)


class LimitsConfig(_Section):
    """Bounds on what comes in and on what may wait."""

    image_bytes: int = Field(16 * 2**20, ge=1)
    image_pixels: int = Field(25_000_000, ge=1)
    text_chars: int = Field(4_096, ge=1, le=4_096)
    open_requests: int = Field(256, ge=1)
    queue_bytes_per_user: int = Field(64 * 2**20, ge=1)
    credit_bytes: int = Field(4 * 2**20, ge=65_536)


class LivenessConfig(_Section):
    heartbeat_ms: int = Field(500, ge=10)
    timeout_ms: int = Field(5_000, ge=50)


class PlacementConfig(_Section):
    """Which hosts of the cluster take which roles, each by its host name or the address of its Ray node.

    What is left out is decided by node labels (`launch.placement`).
    """

    bs: str | None = None
    ce: str | None = None
    ues: tuple[str, ...] = ()


class ClusterConfig(_Section):
    """`address` none: a private Ray on this machine; else the address of a running Ray cluster.

    `data_network`: in CIDR notation, the network that carries the data plane; each host advertises its own
    address in it (none: that of its Ray node). A host whose agent says nothing for `host_timeout_s` is lost.
    A bundle above `bundle_copy_mib` is not copied to hosts that lack it.
    """

    address: str | None = None
    start_timeout_s: float = Field(60.0, gt=0.0)
    placement: PlacementConfig = PlacementConfig()
    data_network: str | None = None
    host_timeout_s: float = Field(10.0, ge=1.0, le=600.0)
    bundle_copy_mib: int = Field(4_096, ge=0)

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


class ResourcesConfig(_Section):
    """What every process uses, sampled every so many seconds into the run folder; none: not at all."""

    every_s: float | None = Field(None, ge=0.1, le=3_600.0)


class JournalConfig(_Section):
    """`symbols`: of every request, so many received symbols are kept to look at (`userequipment.glimpse`)."""

    symbols: int = Field(32, ge=0, le=1_024)


class SecurityConfig(_Section):
    """`curve`: CURVE on all links; none: where a run has more than one host."""

    curve: bool | None = None

    def curve_on(self, hosts: int = 1) -> bool:
        """Whether the links of a run on so many hosts are encrypted."""
        return hosts > 1 if self.curve is None else self.curve


class ChaosConfig(_Section):
    """Of a run under a scenario of faults: when all end, and how long until everybody is served again.

    Both count from the begin of the workload on; who asks `drain_s` after `heal_s` must be answered.
    """

    scenario: str = ""
    heal_s: float = Field(gt=0.0, le=1e6)
    drain_s: float = Field(10.0, ge=0.0, le=3_600.0)


class RunConfig(_Section):
    """One run, complete.

    `question_at`: the workload's questions about images are sent with them by the base station, or asked at
    the UE after the image alone was sent. Questions from outside (`m4sc ask`, uplink) are always sent.
    `scheme`: one of `shared.schemes`, or a module that has a SCHEME.
    """

    name: str = "run"
    seed: int = Field(0, ge=0)
    users: int = Field(4, ge=1, le=65_536)
    scheme: str = Field("m4sc", max_length=256)
    bundle: str = "micro"
    split_layer: int | None = Field(None, ge=0)
    question_at: Literal["bs", "ue"] = "bs"
    control: Literal["none", "image_erased", "another_image"] = "none"
    reasoning: bool = True
    window_ms: int = Field(50, ge=0, le=60_000)
    max_group: int = Field(32, ge=1, le=1_024)
    deadline_ms: int = Field(30_000, ge=1, le=2**31 - 1)
    max_new_tokens: int | None = Field(None, ge=1, le=1_024)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    channel: ChannelConfig = ChannelConfig()
    sharing: SharingConfig = SharingConfig()
    rate: RateConfig = RateConfig()
    cache: CacheConfig = CacheConfig()
    baseline: BaselineConfig = BaselineConfig()
    workload: WorkloadConfig = WorkloadConfig()
    retransmission: RetransmissionConfig = RetransmissionConfig()
    limits: LimitsConfig = LimitsConfig()
    liveness: LivenessConfig = LivenessConfig()
    cluster: ClusterConfig = ClusterConfig()
    resources: ResourcesConfig = ResourcesConfig()
    journal: JournalConfig = JournalConfig()
    security: SecurityConfig = SecurityConfig()
    process_faults: tuple[ProcessFaultConfig, ...] = Field((), max_length=1_024)
    chaos: ChaosConfig | None = None

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
        if self.channel.codec == "bypass" and self.rate.image_eighths < EIGHTHS:
            raise ValueError("rate.image_eighths: channel.codec 'bypass' sends whole vectors, expected 8")
        if self.rate.selection == "question" and self.question_at == "ue":
            raise ValueError("rate.selection 'question': questions asked at the UE are not known before")
        if self.rate.selection == "question" and self.cache.images:
            raise ValueError("rate.selection 'question': tokens for one question, expected cache.images 0")
        if self.question_at == "ue" and not self.workload.may_ask_about_images:
            raise ValueError("question_at 'ue' needs questions about images: vqa among workload.tasks")
        check_scheme(scheme_of(self.scheme), self)
        return self
