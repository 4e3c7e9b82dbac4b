"""Counts of the run so far, for the live table and for `Done` of a drain. Never a source of results."""

from dataclasses import dataclass
from typing import Any

from basestation.requests import RequestRecord, State

PROGRESS_EVERY_S = 0.25
_MAX_USERS_SHOWN = 400
_MAX_TEXT_SHOWN = 120
ASKED_AT_UE = "(asked at the UE)"
"""Shown for questions that the base station never sees; the answer beside it is the first one."""


@dataclass(slots=True)
class _UserLine:
    answered: int = 0
    degraded: int = 0
    failed: int = 0
    question: str = ""
    answer: str = ""


class Scoreboard:
    """`failed` of a user counts failed, expired and refused requests together."""

    def __init__(self) -> None:
        self.attempted = 0
        self.late = 0
        self.duplicate_answers = 0
        self._by_state: dict[State, int] = {}
        self._users: dict[int, _UserLine] = {}

    def finished(self, request: RequestRecord, answer: str) -> None:
        self._by_state[request.state] = self._by_state.get(request.state, 0) + 1
        line = self._users.setdefault(request.user, _UserLine())
        line.question = ASKED_AT_UE if request.question_at_ue else request.text[:_MAX_TEXT_SHOWN]
        line.answer = answer[:_MAX_TEXT_SHOWN]
        if request.state is State.ANSWERED:
            line.answered += 1
        elif request.state is State.DEGRADED:
            line.degraded += 1
        else:
            line.failed += 1

    def totals(self, open_requests: int) -> dict[str, int]:
        """attempted = answered + degraded + failed + expired + refused + open."""
        states = (State.ANSWERED, State.DEGRADED, State.FAILED, State.EXPIRED, State.REFUSED)
        return {
            "attempted": self.attempted,
            "open": open_requests,
            **{s.value: self._by_state.get(s, 0) for s in states},
            "late": self.late,
            "duplicate_answers": self.duplicate_answers,
        }

    def progress(self, open_requests: int, present: set[int]) -> dict[str, Any]:
        """Totals, and per user `user.<n>.<number or text>`; at most the first 400 users."""
        values: dict[str, Any] = {**self.totals(open_requests), "attached": len(present)}
        for user in sorted(self._users.keys() | present)[:_MAX_USERS_SHOWN]:
            line = self._users.get(user, _UserLine())
            values |= {
                f"user.{user}.attached": user in present,
                f"user.{user}.answered": line.answered,
                f"user.{user}.degraded": line.degraded,
                f"user.{user}.failed": line.failed,
                f"user.{user}.question": line.question,
                f"user.{user}.answer": line.answer,
            }
        return values
