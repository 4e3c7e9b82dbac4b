"""Answer: repeat each answer until the base station acknowledges it, and remember it for later polls.

An unacknowledged answer is sent at most 2 x max_attempts times, `feedback_timeout_ms` apart; after a new
attachment the count starts again. A bounded memory of finished requests keeps a late copy of a frame or an
index map from starting them anew.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from shared.config import RetransmissionConfig
from shared.wire.messages import Answer, SideInfo

MAX_REMEMBERED = 1_024
_MAX_ATTEMPT_FIELD = 255


@dataclass(slots=True)
class _Finished:
    """`answer` is None for a cancelled request. `next_s` is None when nothing more is sent unasked.

    `group_id`: of the transmission that was answered, or of the latest that asked for the answer.
    """

    answer: Answer | None
    group_id: int = -1
    sent: int = 0
    since_attached: int = 0
    next_s: float | None = None
    acknowledged: bool = False


class AnswerBook:
    """Finished requests of one UE, newest last."""

    def __init__(self, config: RetransmissionConfig, max_remembered: int = MAX_REMEMBERED) -> None:
        self._repeat_s = config.feedback_timeout_ms / 1e3
        self._max_sends = 2 * config.max_attempts
        self._max_remembered = max_remembered
        self._finished: OrderedDict[str, _Finished] = OrderedDict()

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._finished

    def unacknowledged(self) -> int:
        """Answers that are still being repeated."""
        return sum(entry.next_s is not None for entry in self._finished.values())

    def add(self, answer: Answer, group_id: int, now_s: float) -> list[Answer]:
        """A new answer: its first transmission."""
        entry = self._remember(answer.request_id, answer)
        entry.group_id = group_id
        return self._send(entry, now_s)

    def cancel(self, request_id: str) -> None:
        """The base station has closed the request: whatever is known of it is not sent (again)."""
        entry = self._finished.get(request_id)
        if entry is None:
            self._remember(request_id, None)
        else:
            entry.next_s = None

    def acknowledge(self, request_id: str) -> Answer | None:
        """Stop repeating; the answer if this is its first acknowledgement."""
        entry = self._finished.get(request_id)
        if entry is None:
            return None
        first = not entry.acknowledged
        entry.acknowledged, entry.next_s = True, None
        return entry.answer if first else None

    def polled(self, side: SideInfo, now_s: float) -> list[Answer]:
        """The base station asks where the request stands: say the answer again.

        A poll has a higher attempt, or is another group's: of a base station that has forgotten the first. A
        mere copy of the first transmission needs no reply.
        """
        entry = self._finished.get(side.request_id)
        if entry is None or not (side.attempt or side.group_id != entry.group_id):
            return []
        entry.group_id = side.group_id
        return self._send(entry, now_s)

    def attached_anew(self, now_s: float) -> list[Answer]:
        """What was sent around the loss of the emulator may be gone: once more, with a fresh bound."""
        out: list[Answer] = []
        for entry in list(self._finished.values()):
            if not entry.acknowledged and entry.since_attached:
                entry.since_attached = 0
                out += self._send(entry, now_s)
        return out

    def on_tick(self, now_s: float) -> list[Answer]:
        due = [e for e in self._finished.values() if e.next_s is not None and now_s >= e.next_s]
        return [answer for entry in due for answer in self._send(entry, now_s)]

    def next_wakeup_s(self) -> float | None:
        return min((e.next_s for e in self._finished.values() if e.next_s is not None), default=None)

    def _send(self, entry: _Finished, now_s: float) -> list[Answer]:
        if entry.answer is None:
            return []
        attempt = min(entry.sent, _MAX_ATTEMPT_FIELD)
        entry.sent += 1
        entry.since_attached += 1
        again = not entry.acknowledged and entry.since_attached < self._max_sends
        entry.next_s = now_s + self._repeat_s if again else None
        return [replace(entry.answer, attempt=attempt)]

    def _remember(self, request_id: str, answer: Answer | None) -> _Finished:
        entry = self._finished[request_id] = _Finished(answer)
        while len(self._finished) > self._max_remembered:
            self._finished.popitem(last=False)
        return entry
