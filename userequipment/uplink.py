"""A user's own questions: `Ask` on the UE's control link goes to the base station over the air.

The UE names the request `u<user>.<incarnation>.<n>`, and the base station uses that name, so the index map
that comes back is the sign that the question arrived. Until then it is repeated `feedback_timeout_ms`
apart, at most 2 x max_attempts times; at the deadline the one who asked is told.
"""

from dataclasses import dataclass

from shared.config import RetransmissionConfig
from shared.spec import RoleSpec
from shared.wire.messages import Answer, Ask, AskResult, UplinkRequest

MAX_OPEN = 64
_STATES = {"ok": "answered", "degraded": "degraded", "failed": "failed"}


@dataclass(slots=True)
class _Question:
    ask_id: str
    message: UplinkRequest
    asked_s: float
    sent: int
    next_s: float | None


class Uplink:
    """Questions of this UE that have no result yet."""

    def __init__(self, spec: RoleSpec) -> None:
        config: RetransmissionConfig = spec.config.retransmission
        self._user = spec.user
        self._prefix = f"u{spec.user}.{spec.incarnation}."
        self._repeat_s = config.feedback_timeout_ms / 1e3
        self._max_sends = 2 * config.max_attempts
        self._deadline_s = spec.config.deadline_ms / 1e3 + self._repeat_s
        self._open: dict[str, _Question] = {}
        self._count = 0

    def ask(self, ask: Ask, now_s: float) -> UplinkRequest | AskResult:
        """The first transmission, or a refusal because too many questions are open."""
        if len(self._open) >= MAX_OPEN:
            return self._result(ask.ask_id, "refused", "busy", "", 0.0)
        self._count += 1
        message = UplinkRequest(
            user=self._user,
            client_id=f"{self._prefix}{self._count}",
            task=ask.task,
            text=ask.text,
            payload=bytes(ask.payload),
        )
        self._open[message.client_id] = _Question(ask.ask_id, message, now_s, 1, now_s + self._repeat_s)
        return message

    def arrived(self, request_id: str) -> None:
        """The base station has taken the question in."""
        if request_id in self._open:
            self._open[request_id].next_s = None

    def answered(self, answer: Answer, now_s: float) -> list[AskResult]:
        """The base station has this UE's answer."""
        question = self._open.pop(answer.request_id, None)
        if question is None:
            return []
        latency_ms = 1e3 * (now_s - question.asked_s)
        state = _STATES[answer.status]
        return [self._result(question.ask_id, state, answer.reason, answer.text, latency_ms)]

    def cancelled(self, request_id: str, reason: str, was_admitted: bool, now_s: float) -> list[AskResult]:
        """The base station refused the question, or closed the request without an answer."""
        question = self._open.pop(request_id, None)
        if question is None:
            return []
        state = "failed" if was_admitted else "refused"
        return [self._result(question.ask_id, state, reason, "", 1e3 * (now_s - question.asked_s))]

    def on_tick(self, now_s: float) -> list[UplinkRequest | AskResult]:
        out: list[UplinkRequest | AskResult] = []
        for name, question in list(self._open.items()):
            if now_s >= question.asked_s + self._deadline_s:
                del self._open[name]
                out.append(
                    self._result(question.ask_id, "expired", "no answer in time", "", 1e3 * self._deadline_s)
                )
            elif question.next_s is not None and now_s >= question.next_s:
                question.sent += 1
                question.next_s = now_s + self._repeat_s if question.sent < self._max_sends else None
                out.append(question.message)
        return out

    def next_wakeup_s(self) -> float | None:
        times = [q.asked_s + self._deadline_s for q in self._open.values()]
        times += [q.next_s for q in self._open.values() if q.next_s is not None]
        return min(times, default=None)

    def _result(self, ask_id: str, state: str, reason: str, text: str, latency_ms: float) -> AskResult:
        return AskResult(
            ask_id=ask_id, user=self._user, state=state, reason=reason[:512], text=text, latency_ms=latency_ms
        )
