"""The life of a request at the base station: a table of states and events, and the book of all requests.

The base station owns terminal states. Once a request has one it never changes: what comes later is a
duplicate or late, counted and otherwise without effect.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from shared.semantic_cache import KnownImage

MAX_REMEMBERED = 65_536  # finished requests whose late answers are still told from unknown ones


class State(Enum):
    ENCODING = "encoding"  # admitted; waits for its window, for the encoder, or is being encoded
    RESUMED = "resumed"  # the same, but an earlier process sent it: its UE may answer meanwhile
    RECEIVING = "receiving"  # transmitted; the UE has not yet said that it has everything
    DECODING = "decoding"  # the UE has everything; its answer is awaited
    ANSWERED = "answered"
    DEGRADED = "degraded"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUSED = "refused"

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({State.ANSWERED, State.DEGRADED, State.FAILED, State.EXPIRED, State.REFUSED})


class Event(Enum):
    REFUSE = "refuse"  # no user, busy, draining, or the image is no image
    ENCODE_FAILED = "encode_failed"
    TRANSMITTED = "transmitted"
    HAS_ALL = "has_all"  # Feedback(complete)
    MISSES = "misses"  # Feedback with something missing: also from a UE that restarted
    CACHE_MISS = "cache_miss"  # the UE lacks the image that was referred to: it is sent after all
    UE_CAME_BACK = "ue_came_back"  # attached again, perhaps with no memory
    ANSWER_OK = "answer_ok"
    ANSWER_DEGRADED = "answer_degraded"
    ANSWER_FAILED = "answer_failed"
    DEADLINE = "deadline"
    USER_GONE = "user_gone"  # the deadline came while the user was away
    POISON = "poison"  # it ended the process that handled it, twice


S, E = State, Event
TRANSITIONS: dict[tuple[State, Event], State] = {
    (S.ENCODING, E.REFUSE): S.REFUSED,
    (S.ENCODING, E.ENCODE_FAILED): S.FAILED,
    (S.ENCODING, E.TRANSMITTED): S.RECEIVING,
    (S.ENCODING, E.UE_CAME_BACK): S.ENCODING,
    (S.ENCODING, E.DEADLINE): S.EXPIRED,
    (S.ENCODING, E.USER_GONE): S.FAILED,
    (S.ENCODING, E.POISON): S.FAILED,
    (S.RESUMED, E.REFUSE): S.REFUSED,
    (S.RESUMED, E.ENCODE_FAILED): S.FAILED,
    (S.RESUMED, E.TRANSMITTED): S.RECEIVING,
    (S.RESUMED, E.UE_CAME_BACK): S.RESUMED,
    (S.RESUMED, E.ANSWER_OK): S.ANSWERED,
    (S.RESUMED, E.ANSWER_DEGRADED): S.DEGRADED,
    (S.RESUMED, E.ANSWER_FAILED): S.FAILED,
    (S.RESUMED, E.DEADLINE): S.EXPIRED,
    (S.RESUMED, E.USER_GONE): S.FAILED,
    (S.RESUMED, E.POISON): S.FAILED,
    (S.RECEIVING, E.HAS_ALL): S.DECODING,
    (S.RECEIVING, E.MISSES): S.RECEIVING,
    (S.RECEIVING, E.CACHE_MISS): S.ENCODING,
    (S.RECEIVING, E.UE_CAME_BACK): S.RECEIVING,
    (S.RECEIVING, E.ANSWER_OK): S.ANSWERED,
    (S.RECEIVING, E.ANSWER_DEGRADED): S.DEGRADED,
    (S.RECEIVING, E.ANSWER_FAILED): S.FAILED,
    (S.RECEIVING, E.DEADLINE): S.EXPIRED,
    (S.RECEIVING, E.USER_GONE): S.FAILED,
    (S.RECEIVING, E.POISON): S.FAILED,
    (S.DECODING, E.HAS_ALL): S.DECODING,
    (S.DECODING, E.MISSES): S.RECEIVING,
    (S.DECODING, E.CACHE_MISS): S.ENCODING,
    (S.DECODING, E.UE_CAME_BACK): S.RECEIVING,
    (S.DECODING, E.ANSWER_OK): S.ANSWERED,
    (S.DECODING, E.ANSWER_DEGRADED): S.DEGRADED,
    (S.DECODING, E.ANSWER_FAILED): S.FAILED,
    (S.DECODING, E.DEADLINE): S.EXPIRED,
    (S.DECODING, E.USER_GONE): S.FAILED,
    (S.DECODING, E.POISON): S.FAILED,
}
"""Every pair not listed is without effect: an answer before transmission, anything after the end."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """What the base station knows of one request. Times in seconds of its monotonic clock.

    `index` is the line of the workload, `ask_id` the control link's name, `client_id` the UE's. With
    `question_at_ue` only the UE knows what is asked; `text` is empty. `cached`: the image was referred to.
    `ue_deaths`: processes of its UE that ended while they had it and had not answered.
    """

    request_id: str
    user: int
    task: str
    text: str
    image: bytes | None
    image_key: str | None
    admitted_s: float
    deadline_s: float
    index: int | None = None
    ask_id: str | None = None
    client_id: str | None = None
    arrival_s: float | None = None
    question_at_ue: bool = False
    cached: KnownImage | None = None
    state: State = State.ENCODING
    group_id: int = -1
    polls: int = 0
    next_poll_s: float | None = None
    transmitted_s: float | None = None
    answers: int = 0
    ue_deaths: int = 0
    stage_ms: dict[str, float] = field(default_factory=dict)

    def step(self, event: Event) -> bool:
        """Apply an event; True when the table lists it for the present state."""
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            return False
        self.state = following
        return True

    def let_go(self) -> None:
        """After its end: of what was asked nothing is kept, only what a late answer is known by."""
        self.text, self.image, self.image_key, self.cached = "", None, None, None
        self.stage_ms = {}


def image_key_of(image: bytes | None) -> str | None:
    """By which equal image files are found: their SHA-256 in hex."""
    return None if image is None else hashlib.sha256(image).hexdigest()


class RequestBook:
    """All open requests, and a bounded memory of finished ones."""

    def __init__(self, max_remembered: int = MAX_REMEMBERED) -> None:
        self._open: dict[str, RequestRecord] = {}
        self._finished: OrderedDict[str, RequestRecord] = OrderedDict()
        self._max_remembered = max_remembered

    def __len__(self) -> int:
        """Number of open requests."""
        return len(self._open)

    def __iter__(self) -> Iterator[RequestRecord]:
        """Open requests, oldest first; the caller may close them while it iterates."""
        return iter(list(self._open.values()))

    def add(self, record: RequestRecord) -> None:
        self._open[record.request_id] = record

    def get(self, request_id: str) -> RequestRecord | None:
        """An open or a remembered finished request."""
        return self._open.get(request_id) or self._finished.get(request_id)

    def open_of(self, user: int) -> list[RequestRecord]:
        return [r for r in self._open.values() if r.user == user]

    def close(self, record: RequestRecord) -> None:
        """Move a request that reached its terminal state to memory; its image is let go."""
        if not record.state.terminal:
            raise ValueError(f"{record.request_id} is {record.state.value}, not finished")
        if self._open.pop(record.request_id, None) is None:
            raise ValueError(f"{record.request_id} has been closed before")
        record.image = None
        self._finished[record.request_id] = record
        while len(self._finished) > self._max_remembered:
            self._finished.popitem(last=False)
