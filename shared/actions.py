"""What a role may ask of the world: the vocabulary between pure logic and sockets, threads and files.

A role is a class whose methods take an event and the time and return a list of these actions:

    on_message(message, now_s)    something arrived on the data plane
    on_control(message, now_s)    something arrived on the control link
    on_tick(now_s)                a timer fired (the role said when by `next_wakeup_s`)
    on_computed(key, result, now_s)   a `Compute` finished

The same role runs in a process (`shared/process.py`) and in the tests' in-memory world.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.wire.damage import HeaderErrors
from shared.wire.messages import Message


@dataclass(frozen=True, slots=True)
class Send:
    """Put a message on the data plane: to 'ce' from a peer, to 'bs' or 'ue:<user>' from the emulator.

    With `header_errors` it goes out so that nobody can read it.
    """

    to: str
    message: Message
    header_errors: HeaderErrors | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """Put a message on the control link to this role's agent."""

    message: Message


@dataclass(frozen=True, slots=True)
class Compute:
    """Run `job` off the event loop; its result comes back by `on_computed(key, ...)`.

    Jobs of one role run one at a time, in order. A job that raises comes back as the exception itself.
    """

    key: str
    job: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Record:
    """Append one event to the journal; `fields` must be JSON."""

    event: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drop:
    """Count a message that goes no further, for one receiver (`to` as in `Send`), and why."""

    to: str
    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Copied:
    """Count that a message from `source` was made into so many more: each is sent or dropped by itself."""

    source: str
    message: Message
    times: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Forget a peer's connection state at the hub (credit, queue)."""

    to: str


@dataclass(frozen=True, slots=True)
class Exit:
    """The role is finished: flush, close, end the process with `code`; `detail` is one line for people."""

    code: int
    detail: str = ""


Action = Send | Tell | Compute | Record | Drop | Copied | Disconnect | Exit
