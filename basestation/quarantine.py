"""Requests that may have ended the process of their UE: delivered again, but one at a time.

    the process of a UE ends --> what it had and had not answered is suspect
    suspect, alone with its UE, whose process ends once more --> poison

While one is with the UE, everything else of that user is held. Who ended a process is not known here: what
was alone with its UE at two ends of it is taken for the cause.
"""

from collections.abc import Iterable, Sequence

from basestation.requests import RequestBook, RequestRecord

TRIES = 2
"""Processes that one request may end."""


class Quarantine:
    """By user, in the order of delivery."""

    def __init__(self) -> None:
        self._suspects: dict[int, list[RequestRecord]] = {}
        self._delivered: dict[int, RequestRecord] = {}

    def suspect(self, requests: Iterable[RequestRecord]) -> None:
        """Deliver these alone."""
        for request in requests:
            known = self._suspects.setdefault(request.user, [])
            if not any(other is request for other in known):
                known.append(request)

    def died(self, had: Sequence[RequestRecord]) -> list[RequestRecord]:
        """The process of a UE has ended while it had these requests; returns those that are poison."""
        for request in had:
            request.ue_deaths += 1
        self.suspect(had)
        return [r for r in had if len(had) == 1 and r.ue_deaths >= TRIES]

    def again(self, user: int) -> None:
        """What was delivered to the user is lost."""
        self._delivered.pop(user, None)

    def concerns(self, user: int) -> bool:
        return self._first(user) is not None

    def holds(self, request: RequestRecord) -> bool:
        """Not to be delivered now: another one is with the user."""
        first = self._first(request.user)
        return first is not None and first is not request

    def due(self, book: RequestBook) -> list[RequestRecord]:
        """What may be delivered now, and was held: the next suspect; after the last, all that waited."""
        out: list[RequestRecord] = []
        for user in list(self._suspects):
            first = self._first(user)
            if first is None:
                del self._suspects[user]
                self._delivered.pop(user, None)
                out += book.open_of(user)
            elif self._delivered.get(user) is not first:
                self._delivered[user] = first
                out.append(first)
        return out

    def _first(self, user: int) -> RequestRecord | None:
        return next((r for r in self._suspects.get(user, ()) if not r.state.terminal), None)
