"""Every message of the testbed, in one place: frozen, checked when built.

Roles are named `bs`, `ce` and `ue`; a user is an integer from 0. A *group* is the set of requests that
arrived within one window and are encoded together. A *frame* carries symbols of one stream and is
named by (group_id, frame_id); `attempt` counts from 0, the first transmission.

Sizes on the air (channel uses) are stated by the messages that cross it: `uses` is what the sender put on
the air, pilots included. One channel use is one complex symbol of unit average transmit power.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from shared.wire import fields as f

PROTOCOL_VERSION = 11
MAX_QUANTISER_BITS = 5
MAX_TAPS = 64
MAX_ADDED = 2
BASE_STATION = -1  # the `user` of messages that concern no user


def _user() -> Any:
    return f.integer(BASE_STATION, f.MAX_USERS - 1)


def _count() -> Any:
    return f.integer(0, 2**31 - 1)


def _genie_blocks() -> Any:
    """Bounded in all: whole numbers, short on the wire, are sent on as floats, and must fit a header then."""
    blocks = f.array_of(f.record(f.integer(1, 2**31 - 1), f.array_of(f.number(), 2 * MAX_TAPS)))
    return f.in_all(blocks, 2 * f.MAX_LIST, lambda value: sum(len(taps) for _, taps in value), "reals")


def _big() -> Any:
    return f.integer(0, 2**62)


def _id() -> Any:
    return f.text(64)


TASKS = ("vqa", "caption", "text_classification")
SAMPLE_FORMATS = ("cf32", "cs16", "cs8")
MAX_QUESTIONS = 64
"""Questions that a UE asks about one delivered image."""
MAX_LATER_CHARS = 512
"""Of each answer but the first: the longest `Answer` of all still fits a header, and a journal line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Base of all messages. `KIND` is its name on the wire."""

    KIND: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, full_name, check in _checks_of(type(self)):
            value = getattr(self, name)
            checked = check(full_name, value)
            if checked is not value:
                object.__setattr__(self, name, checked)

    def changed(self, **changes: Any) -> Self:
        """A copy with other values in these fields. The rest, which was checked before, is not again.

        Raises `LocalProtocolError` for a value that does not fit, `TypeError` for a field that there is not.
        """
        copy = object.__new__(type(self))
        for name, full_name, check in _checks_of(type(self)):
            if name in changes:
                object.__setattr__(copy, name, check(full_name, changes.pop(name)))
            else:
                object.__setattr__(copy, name, getattr(self, name))
        if changes:
            raise TypeError(f"{self.KIND}: no fields {', '.join(changes)}")
        return copy


_CHECKS: dict[type[Message], tuple[tuple[str, str, f.Check], ...]] = {}


def _checks_of(kind: type[Message]) -> tuple[tuple[str, str, f.Check], ...]:
    """Name, name in full, and check of every field; looked up once a kind."""
    if kind not in _CHECKS:
        _CHECKS[kind] = tuple(
            (item.name, f"{kind.KIND}.{item.name}", item.metadata["check"]) for item in fields(kind)
        )
    return _CHECKS[kind]


# --- session: peer <-> channel emulator -------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Message):
    """First message of a peer on the data plane."""

    KIND = "hello"
    protocol: int = f.integer(0, 65_535)
    role: str = f.one_of("bs", "ue")
    user: int = _user()
    incarnation: int = _big()
    fingerprint: str = f.text(128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(Message):
    """The emulator accepts a peer and tells it its average SNR; the rest of the air is configuration."""

    KIND = "welcome"
    user: int = _user()
    incarnation: int = _big()
    snr_db: float = f.number(-100.0, 200.0)
    credit_bytes: int = _big()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Message):
    """The emulator does not accept a peer, or no longer; the peer exits with `detail`.

    Code 'not_attached' is milder: a restarted emulator never heard of the peer, which then says Hello again.
    `incarnation` is the one that is refused: a peer of another incarnation ignores the message.
    """

    KIND = "refused"
    user: int = _user()
    incarnation: int | None = f.default(f.optional(_big()), None)
    code: str = f.one_of("version", "fingerprint", "fenced", "unknown_user", "not_attached")
    detail: str = f.text(512)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerState(Message):
    """The emulator tells the base station that a user came or went."""

    KIND = "peer_state"
    user: int = _user()
    incarnation: int = _big()
    state: str = f.one_of("attached", "detached")
    snr_db: float = f.number(-100.0, 200.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Message):
    """Sign of life, both ways; `user` is the peer's own (or, from the emulator, the receiver's)."""

    KIND = "heartbeat"
    user: int = _user()
    incarnation: int = _big()
    sequence: int = _big()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit(Message):
    """A UE tells the emulator how many wire bytes it has consumed since it attached (cumulative)."""

    KIND = "credit"
    user: int = _user()
    incarnation: int = _big()
    consumed_bytes: int = _big()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye(Message):
    """A peer leaves in good order; the emulator says the same back, and nothing after it."""

    KIND = "bye"
    user: int = _user()
    incarnation: int = _big()


# --- downlink: base station -> channel emulator -> UE -----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SideInfo(Message):
    """The index map of one request.

    The payload is what crosses the air: at most 32 control bits, the bit-packed index map and a CRC; as bits,
    or, where it is coded, as samples (pilots, then symbols) like a `SymbolFrame`'s.
    `frames` names the symbol frames that the map refers to, as
    (frame_id, stream 0 public / 1 private, first_token, n_tokens). `questions_of` is the workload index whose
    questions the UE asks by itself; null where the text is sent. Both are testbed bookkeeping, not air.
    """

    KIND = "side_info"
    user: int = _user()
    request_id: str = _id()
    group_id: int = _count()
    attempt: int = f.integer(0, 255)
    first_use: int = _big()
    uses: int = _count()
    energy: float = f.number(0.0)
    deadline_ms: int = _count()
    frames: tuple[tuple[int, int, int, int], ...] = f.array_of(
        f.record(_count(), f.integer(0, 1), _count(), f.integer(1, 65_535))
    )
    questions_of: int | None = f.default(f.optional(_count()), None)
    pilot_uses: int = f.default(f.integer(0, 65_535), 0)
    sample_format: str = f.default(f.one_of(*SAMPLE_FORMATS), SAMPLE_FORMATS[0])
    full_scale: float = f.default(f.number(0.0, 1e6), 1.0)
    genie_blocks: tuple[tuple[int, tuple[float, ...]], ...] = f.default(_genie_blocks(), ())
    payload: bytes | memoryview = f.payload()


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolFrame(Message):
    """Channel symbols of consecutive tokens of one stream, for a set of users (one user if private).

    The payload is `uses` complex samples in `sample_format`: first `pilot_uses` pilots, then n_tokens x
    uses_per_token symbols; or, with `quantiser_bits`, the QAM symbols of as many bits for each of their real
    values (`air.transport`). An integer sample s stands for s * full_scale / 32767 (cs16) or / 127 (cs8).
    From the emulator to a UE, `users` is that UE alone, and in CSI mode `genie` the channel comes along:
    `genie_blocks` are consecutive coherence blocks (uses, (Re g, Im g of each tap)) that add up to `uses`.
    `added` names shorter public frames, or as long ones, whose symbols are added to this one's (frame_id,
    first_token, n_tokens): `air.frame_sum`.
    """

    KIND = "symbol_frame"
    stream: str = f.one_of("public", "private")
    users: tuple[int, ...] = f.array_of(_user(), f.MAX_USERS)
    group_id: int = _count()
    frame_id: int = _count()
    attempt: int = f.integer(0, 255)
    first_token: int = _count()
    n_tokens: int = f.integer(1, 65_535)
    uses_per_token: int = f.integer(1, 65_535)
    pilot_uses: int = f.integer(0, 65_535)
    first_use: int = _big()
    uses: int = _count()
    energy: float = f.number(0.0)
    sample_format: str = f.one_of(*SAMPLE_FORMATS)
    full_scale: float = f.number(0.0, 1e6)
    quantiser_bits: int = f.default(f.integer(0, MAX_QUANTISER_BITS), 0)
    genie_blocks: tuple[tuple[int, tuple[float, ...]], ...] = f.default(_genie_blocks(), ())
    added: tuple[tuple[int, int, int], ...] = f.default(
        f.array_of(f.record(_count(), _count(), f.integer(1, 65_535)), MAX_ADDED), ()
    )
    payload: bytes | memoryview = f.payload()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Message):
    """The base station gave the request its terminal state: the UE may forget it."""

    KIND = "cancel"
    user: int = _user()
    request_id: str = _id()
    reason: str = f.text(64)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAck(Message):
    """The base station has the answer; the UE stops repeating it."""

    KIND = "answer_ack"
    user: int = _user()
    request_id: str = _id()


# --- uplink: UE -> channel emulator -> base station --------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkRequest(Message):
    """A user asks over its own uplink. The payload is the image file, or empty."""

    KIND = "uplink_request"
    user: int = _user()
    client_id: str = _id()
    task: str = f.text(64)
    text: str = f.text(f.MAX_TEXT_CHARS)
    payload: bytes | memoryview = f.payload(16 * 2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback(Message):
    """ACK (nothing missing) or NACK (the frames, or the side information itself, to send again).

    `cache_miss`: the map refers to an image that this UE does not have.
    """

    KIND = "feedback"
    user: int = _user()
    request_id: str = _id()
    group_id: int = _count()
    attempt: int = f.integer(0, 255)
    complete: bool = f.flag()
    side_missing: bool = f.flag()
    missing_frames: tuple[int, ...] = f.array_of(_count())
    cache_miss: bool = f.default(f.flag(), False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Message):
    """A UE's answer. `control_text` is what the same replica says with every image token erased.

    Where several questions were asked at the UE, these are of the first, and `later` has (text, control_text)
    of each of the others, in their order. `kept`: the image is in the UE's cache, where the map said.
    """

    KIND = "answer"
    user: int = _user()
    incarnation: int = _big()
    request_id: str = _id()
    attempt: int = f.integer(0, 255)
    status: str = f.one_of("ok", "degraded", "failed")
    reason: str = f.text(256)
    text: str = f.text(f.MAX_TEXT_CHARS)
    token_ids: tuple[int, ...] = f.array_of(_count())
    control_text: str | None = f.optional(f.text(f.MAX_TEXT_CHARS))
    erased_tokens: int = _count()
    digest: str = f.text(64)
    stage_ms: dict[str, float] = f.mapping(32)
    later: tuple[tuple[str, str | None], ...] = f.default(
        f.array_of(f.record(f.text(MAX_LATER_CHARS), f.optional(f.text(MAX_LATER_CHARS))), MAX_QUESTIONS - 1),
        (),
    )
    kept: bool = f.default(f.flag(), False)


# --- control plane: role <-> its agent ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Message):
    """A role can do its work. `endpoint` is the emulator's data endpoint, empty for the others."""

    KIND = "ready"
    role: str = f.one_of("bs", "ce", "ue")
    user: int = _user()
    incarnation: int = _big()
    pid: int = _count()
    endpoint: str = f.text(256)
    fingerprint: str = f.text(128)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFailed(Message):
    """A role cannot go on: one line that says why. It exits after this."""

    KIND = "role_failed"
    role: str = f.one_of("bs", "ce", "ue")
    user: int = _user()
    exit_code: int = f.integer(0, 255)
    detail: str = f.text(2_048)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Message):
    """The agent tells a role what to do.

    start: the base station begins its workload · drain: finish what is open, admit nothing new ·
    quiesce: send nothing more of one's own accord (heartbeats, credit) · sample: report counters ·
    stop: report the kernel's counters, close and exit.
    """

    KIND = "command"
    verb: str = f.one_of("start", "drain", "quiesce", "sample", "stop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject(Message):
    """The agent tells the emulator of one more fault, as in `channel.faults`, as JSON; empty: all end."""

    KIND = "inject"
    fault: str = f.text(4_096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Message):
    """A role has carried out a command; `values` are the numbers asked for."""

    KIND = "done"
    role: str = f.one_of("bs", "ce", "ue")
    user: int = _user()
    verb: str = f.text(32)
    values: dict[str, Any] = f.mapping(65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadDone(Message):
    """The base station: every request of the workload has its terminal state."""

    KIND = "workload_done"
    attempted: int = _count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Message):
    """One request from outside, through the control link. The payload is the image file, or empty."""

    KIND = "ask"
    ask_id: str = _id()
    user: int = _user()
    task: str = f.text(64)
    text: str = f.text(f.MAX_TEXT_CHARS)
    payload: bytes | memoryview = f.payload(16 * 2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskResult(Message):
    """The terminal state of an `Ask`."""

    KIND = "ask_result"
    ask_id: str = _id()
    user: int = _user()
    state: str = f.one_of("answered", "degraded", "failed", "expired", "refused")
    reason: str = f.text(512)
    text: str = f.text(f.MAX_TEXT_CHARS)
    latency_ms: float = f.number(0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Message):
    """A role's sign of life on the control link, with the numbers the live table shows."""

    KIND = "progress"
    role: str = f.one_of("bs", "ce", "ue")
    user: int = _user()
    values: dict[str, Any] = f.mapping(f.MAX_LIST)


DATA_MESSAGES: tuple[type[Message], ...] = (
    Hello, Welcome, Refused, PeerState, Heartbeat, Credit, Bye,
    SideInfo, SymbolFrame, Cancel, AnswerAck,
    UplinkRequest, Feedback, Answer,
)  # fmt: skip
CONTROL_MESSAGES: tuple[type[Message], ...] = (
    Ready, RoleFailed, Command, Inject, Done, WorkloadDone, Ask, AskResult, Progress,
)  # fmt: skip
BY_KIND: dict[str, type[Message]] = {m.KIND: m for m in DATA_MESSAGES + CONTROL_MESSAGES}
MAX_HEADER_BYTES = 2**20
