"""How requests end: answers, deadlines, refusals. The only writer of terminal events.

Every request gets exactly one; what a UE says afterwards is a duplicate (it had answered) or late (it had
not), counted and acknowledged so that it stops.
"""

from basestation.cache_book import CacheBook
from basestation.pending import PendingStore
from basestation.recovery import Ended
from basestation.requests import Event, RequestBook, RequestRecord, State
from basestation.scoreboard import Scoreboard
from basestation.transmit import Transmitter
from shared.actions import Action, Record, Send, Tell
from shared.wire.messages import Answer, AnswerAck, AskResult, Cancel

_ANSWER_EVENTS = {
    "ok": Event.ANSWER_OK,
    "degraded": Event.ANSWER_DEGRADED,
    "failed": Event.ANSWER_FAILED,
}
_JOURNAL_NAMES = {
    State.ANSWERED: "ok",
    State.DEGRADED: "degraded",
    State.FAILED: "fail",
    State.EXPIRED: "expired",
    State.REFUSED: "refused",
}
_STATES = {name: state for state, name in _JOURNAL_NAMES.items()}


def one_line(error: object) -> str:
    """An error's text on one line, short enough for a journal and a message."""
    return " ".join(str(error).split())[:160]


class Endings:
    def __init__(
        self,
        book: RequestBook,
        transmitter: Transmitter,
        score: Scoreboard,
        cache: CacheBook,
        pending: PendingStore,
    ) -> None:
        self._cache = cache
        self._pending = pending
        self._book = book
        self._transmitter = transmitter
        self._score = score

    def on_answer(self, answer: Answer, now_s: float) -> list[Action]:
        """Acknowledge, and finish the request if it is open and the answer is its user's."""
        request = self._book.get(answer.request_id)
        names = {"request_id": answer.request_id, "user": answer.user}
        if request is not None and request.user != answer.user:
            return [Record("misdelivered", {**names, "meant_for": request.user})]
        acknowledge: Action = Send("ce", AnswerAck(user=answer.user, request_id=answer.request_id))
        if request is None:
            self._score.late += 1
            return [acknowledge, Record("late", {**names, "detail": "not known here"})]
        request.answers += 1
        if not request.state.terminal:
            return [acknowledge, *self._answered(request, answer, now_s)]
        if request.answers > 1:
            self._score.duplicate_answers += 1
            said = {"text": answer.text, "later": answer.later}
            return [acknowledge, Record("duplicate_answer", {**names, **said})]
        self._score.late += 1
        return [acknowledge, Record("late", {**names, "detail": f"after {request.state.value}"})]

    def deadline(self, request: RequestRecord, user_is_away: bool, now_s: float) -> list[Action]:
        if user_is_away:
            return self.finish(request, Event.USER_GONE, now_s, "user_left")
        return self.finish(request, Event.DEADLINE, now_s, f"deadline while {request.state.value}")

    def encode_failed(self, request: RequestRecord, error: object, now_s: float) -> list[Action]:
        """The job of this request alone raised. ValueError is the pipeline's word for bad input: refused."""
        if isinstance(error, ValueError):
            return self.finish(request, Event.REFUSE, now_s, f"bad_input: {one_line(error)}")
        reason = f"encode: {type(error).__name__}: {one_line(error)}"
        return self.finish(request, Event.ENCODE_FAILED, now_s, reason)

    def poison(self, request: RequestRecord, now_s: float) -> list[Action]:
        """It has ended two processes: nobody handles it a third time."""
        return self.finish(request, Event.POISON, now_s, "poison")

    def repeat_cancel(self, request: RequestRecord) -> list[Action]:
        """A UE repeats a question that was closed without an answer: it has not heard of that."""
        if not request.state.terminal or request.answers:
            return []
        cancel = Cancel(user=request.user, request_id=request.request_id, reason=request.state.value)
        return [Send("ce", cancel)]

    def cancel_again(self, request_id: str, ended: Ended) -> list[Action]:
        """The same, for a request that an earlier process closed."""
        if ended.event in ("ok", "degraded"):
            return []
        return [Send("ce", Cancel(user=ended.user, request_id=request_id, reason=ended.reason[:64]))]

    def ask_again(self, ask_id: str, ended: Ended) -> list[Action]:
        """The result of a question that an earlier process has closed, and perhaps not told."""
        result = AskResult(
            ask_id=ask_id,
            user=ended.user,
            state=_STATES[ended.event].value,
            reason=ended.reason[:512],
            text=ended.text,
            latency_ms=ended.latency_ms,
        )
        return [Tell(result)]

    def finish(
        self,
        request: RequestRecord,
        event: Event,
        now_s: float,
        reason: str,
        answer: Answer | None = None,
    ) -> list[Action]:
        """The terminal state of a request; [] if the table knows no such step."""
        was_on_air = request.state in (State.RESUMED, State.RECEIVING, State.DECODING)
        if not request.step(event):
            return []
        attempts = self._transmitter.attempts(request)
        self._transmitter.forget(request)
        self._book.close(request)
        if request.index is None:
            self._pending.ended(request.request_id)
        self._cache.ended(request.request_id, answer is not None and answer.kept)
        self._score.finished(request, "" if answer is None else answer.text)
        latency_ms = max(0.0, 1e3 * (now_s - request.admitted_s))
        fields = {"request_id": request.request_id, "user": request.user, "reason": reason}
        if answer is not None:
            fields |= _answer_fields(request, answer, latency_ms, attempts)
        actions: list[Action] = [Record(_JOURNAL_NAMES[request.state], fields)]
        if answer is None and (was_on_air or request.client_id is not None):
            cancel = Cancel(user=request.user, request_id=request.request_id, reason=reason[:64])
            actions.append(Send("ce", cancel))
        if request.ask_id is not None:
            actions.append(
                Tell(
                    AskResult(
                        ask_id=request.ask_id,
                        user=request.user,
                        state=request.state.value,
                        reason=reason[:512],
                        text="" if answer is None else answer.text,
                        latency_ms=latency_ms,
                    )
                )
            )
        request.let_go()
        return actions

    def _answered(self, request: RequestRecord, answer: Answer, now_s: float) -> list[Action]:
        reason = answer.reason
        if answer.status == "failed":
            reason = f"ue: {answer.reason or 'no reason given'}"
        if request.transmitted_s is not None:
            at_ue_ms = sum(answer.stage_ms.values())
            on_air_ms = 1e3 * (now_s - request.transmitted_s) - at_ue_ms
            request.stage_ms |= {"air": max(0.0, on_air_ms), **answer.stage_ms}
        actions = self.finish(request, _ANSWER_EVENTS[answer.status], now_s, reason, answer)
        if not actions:  # an answer to what was never sent: another run's, or a broken UE
            return [
                Record("unexpected_answer", {"request_id": answer.request_id, "state": request.state.value})
            ]
        return actions


def _answer_fields(
    request: RequestRecord, answer: Answer, latency_ms: float, attempts: int
) -> dict[str, object]:
    return {
        "status": answer.status,
        "text": answer.text,
        "control_text": answer.control_text,
        "later": answer.later,
        "latency_ms": latency_ms,
        "attempts": attempts,
        "erased_tokens": answer.erased_tokens,
        "generated_tokens": len(answer.token_ids),
        "digest": answer.digest,
        "stage_ms": request.stage_ms,
    }
