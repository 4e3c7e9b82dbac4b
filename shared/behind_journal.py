"""What follows a line of the journal waits until that line is on disk: nobody hears of what it does not say.

    Record  X --full disk--> waits in the journal
    Send    Y                waits here, in order, until X is written
    Send    Heartbeat        goes out at once, as does progress: they promise nothing
    Compute, Drop, Copied    are done at once: they stay in the process

Both queues are bounded; beyond, the role ends.
"""

from collections import deque

from shared.actions import Action, Disconnect, Send, Tell
from shared.journal import Journal, JournalError
from shared.wire.messages import Heartbeat, Progress

MAX_HELD_BYTES = 64 * 2**20
_ACTION_BYTES = 1_024  # what an action counts for beside its payload


class BehindJournal:
    """Of one role. Times are seconds of this host's monotonic clock."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._held: deque[Action] = deque()
        self._held_bytes = 0
        self._stalled_s: float | None = None

    def takes(self, action: Action, now_s: float) -> bool:
        """Whether the action has to wait; then it is kept. Raises `JournalError` when too much waits."""
        if not self._journal.stalled and not self._held:
            return False
        self._stalled_s = now_s if self._stalled_s is None else self._stalled_s
        if not _is_heard_of(action):
            return False
        self._held.append(action)
        self._held_bytes += _bytes_of(action)
        if self._held_bytes > MAX_HELD_BYTES:
            most = f"more than {MAX_HELD_BYTES // 2**20} MiB"
            raise JournalError(f"{self._journal.path}: {self._journal.trouble}, and {most} of messages wait")
        return True

    def freed(self, now_s: float) -> tuple[list[Action], float] | None:
        """Once after a stall: what may go out now, and how many seconds it took. Raises `JournalError`."""
        if not self._journal.flush():
            self._stalled_s = now_s if self._stalled_s is None else self._stalled_s
            return None
        if self._stalled_s is None:
            return None
        actions, stalled_s = list(self._held), now_s - self._stalled_s
        self._held.clear()
        self._held_bytes, self._stalled_s = 0, None
        return actions, stalled_s


def _is_heard_of(action: Action) -> bool:
    """Whether others would hear of something by this action."""
    if isinstance(action, Send | Tell):
        return not isinstance(action.message, Heartbeat | Progress)
    return isinstance(action, Disconnect)


def _bytes_of(action: Action) -> int:
    payload = getattr(action.message, "payload", b"") if isinstance(action, Send | Tell) else b""
    return _ACTION_BYTES + len(payload)
