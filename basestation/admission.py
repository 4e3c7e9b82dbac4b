"""How requests come in: new ones, those that are asked again, and those that a process before left open."""

import re

from basestation.endings import Endings
from basestation.intake import Candidate, Intake
from basestation.pending import PendingError, PendingStore, Question
from basestation.recovery import LeftOpen, Resume
from basestation.reopen import Reopened, Reopening
from basestation.requests import Event, RequestBook, RequestRecord
from basestation.scoreboard import Scoreboard
from shared.actions import Action, Record
from shared.wire.messages import Ask, UplinkRequest


class Admission:
    """The only writer of `invoke` and `resumed`."""

    def __init__(
        self,
        intake: Intake,
        book: RequestBook,
        score: Scoreboard,
        endings: Endings,
        pending: PendingStore,
        reopening: Reopening,
        resume: Resume,
    ) -> None:
        self._intake = intake
        self._book = book
        self._score = score
        self._endings = endings
        self._pending = pending
        self._reopening = reopening
        self._left_open: tuple[LeftOpen, ...] | None = resume.left_open
        self._ended_asks, self._ended_uplink = resume.asks, resume.uplink

    @property
    def taken_up(self) -> bool:
        """Whether `take_up` has been called: nothing else comes in before."""
        return self._left_open is None

    def take_up(self, now_s: float) -> tuple[list[Action], list[Reopened]]:
        """What the process before left open: what goes on, and what to say of all; once."""
        if self._left_open is None:
            return [], []
        left_open, self._left_open = self._left_open, None
        self._pending.only(left.request_id for left in left_open)
        actions: list[Action] = []
        going_on = []
        for left in left_open:
            one = self._reopening.reopen(left)
            record = one.record
            self._book.add(record)
            self._score.attempted += 1
            names = {"request_id": record.request_id, "user": record.user}
            actions.append(Record("resumed", {**names, "sent": left.sent, "suspect": one.suspect}))
            if now_s >= record.deadline_s:
                actions += self._endings.deadline(record, False, now_s)
            elif one.poison:
                actions += self._endings.poison(record, now_s)
            elif one.fault is not None:
                actions += self._endings.finish(record, Event.ENCODE_FAILED, now_s, one.fault)
            else:
                going_on.append(one)
        return actions, going_on

    def ask(self, message: Ask, now_s: float) -> list[Action]:
        """A question that is asked again, by one who does not know what became of it, is not new."""
        ended = self._ended_asks.get(message.ask_id)
        if ended is not None:
            return self._endings.ask_again(message.ask_id, ended)
        if any(r.ask_id == message.ask_id for r in self._book):
            return []
        return self._from_outside(message, now_s, ask_id=message.ask_id)

    def uplink(self, message: UplinkRequest, now_s: float) -> list[Action]:
        """UEs name them `u<user>.<incarnation>.<n>`: no two choose the same. A known name: repetition."""
        if re.fullmatch(rf"u{message.user}\.[0-9]+\.[0-9]+", message.client_id) is None:
            return [Record("rejected", {"user": message.user, "client_id": message.client_id})]
        known = self._book.get(message.client_id)
        if known is not None:
            return self._endings.repeat_cancel(known)
        ended = self._ended_uplink.get(message.client_id)
        if ended is not None:
            return self._endings.cancel_again(message.client_id, ended)
        return self._from_outside(message, now_s, client_id=message.client_id)

    def admit(self, candidate: Candidate, now_s: float) -> list[Action]:
        """Kept before it is in the journal, and in the journal before anybody hears of it."""
        record, refusal = candidate.record, candidate.refusal
        if refusal is None and record.index is None:
            refusal = self._keep(record)
        self._book.add(record)
        self._score.attempted += 1
        invoked = Record(
            "invoke",
            {
                "request_id": record.request_id,
                "user": record.user,
                "task": record.task,
                "index": record.index,
                "ask_id": record.ask_id,
                "arrival_s": record.arrival_s,
                "admitted_s": record.admitted_s,
                "question_at": "ue" if record.question_at_ue else "bs",
                "text_chars": len(record.text),
                "text": None if record.index is not None else record.text,
                "image": None if record.image_key is None else record.image_key[:16],
            },
        )
        if refusal is None:
            return [invoked]
        return [invoked, *self._endings.finish(record, Event.REFUSE, now_s, refusal)]

    def _from_outside(self, message: Ask | UplinkRequest, now_s: float, **name: str) -> list[Action]:
        image = bytes(message.payload) or None
        waiting = len(self._book)
        candidate = self._intake.from_outside(
            message.user, message.task, message.text, image, now_s, waiting, **name
        )
        return self.admit(candidate, now_s)

    def _keep(self, record: RequestRecord) -> str | None:
        """On disk, until it has ended; why not, or None."""
        question = Question(record.request_id, record.user, record.task, record.text, record.image)
        try:
            self._pending.keep(question)
        except PendingError as error:
            return str(error)
        return None
