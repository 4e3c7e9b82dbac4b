"""The user equipment as a role: events in, actions out; see `shared.actions` for the calling convention.

    receive -> decode job (equalise, reassemble, channel decode, decode) -> answer

A request is in one place at a time: with the receiver, in `_decoding`, or in the answer book.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol

from shared.actions import Action, Compute, Drop, Record, Send, Tell
from shared.air import samples
from shared.liveness import PeerSession
from shared.spec import RoleSpec
from shared.wire.errors import ProtocolError
from shared.wire.fields import MAX_LIST, MAX_TEXT_CHARS
from shared.wire.messages import (
    MAX_LATER_CHARS,
    Answer,
    AnswerAck,
    Ask,
    AskResult,
    Cancel,
    Command,
    Done,
    Feedback,
    Message,
    SideInfo,
    SymbolFrame,
    UplinkRequest,
)
from userequipment.answer import AnswerBook
from userequipment.channel_decode import Air
from userequipment.feedback import cache_miss_feedback, complete_feedback, side_missing_feedback
from userequipment.glimpse import glimpse
from userequipment.group_frames import Reception
from userequipment.pipeline import CACHE_MISS, Decoded, Frames
from userequipment.receive import Receiver
from userequipment.uplink import Uplink


class Pipeline(Protocol):
    """The receiver half of a scheme.

    `combines`: copies of a frame are worth keeping, until their `quality`, the SNR in dB that they have
    together, is the configuration's least, or 0 dB.
    """

    @property
    def combines(self) -> bool: ...

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float: ...

    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded: ...

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None: ...


class UserEquipment:
    """One user. Its session with the emulator may be lost and renewed; open work goes on meanwhile."""

    def __init__(self, spec: RoleSpec, pipeline: Pipeline, fingerprint: str, pid: int = 0) -> None:
        config = spec.config
        self._spec = spec
        self._pipeline = pipeline
        self._session = PeerSession(spec, fingerprint, pid)
        self._receiver = Receiver(
            spec.user,
            config.retransmission,
            max_bytes=config.limits.queue_bytes_per_user,
            max_requests=config.limits.open_requests,
            keep_s=config.deadline_ms / 1e3,
            quality=(lambda copies: pipeline.quality(copies, self._air())) if pipeline.combines else None,
        )
        self._answers = AnswerBook(config.retransmission)
        self._uplink = Uplink(spec)
        self._decoding: dict[str, Reception] = {}
        self._glimpses = 0
        self._cancelled: set[str] = set()
        self._drain_asked = self._quiet = False

    # --- events ---------------------------------------------------------------------------------------

    def on_message(self, message: Message, now_s: float, source: str = "ce") -> list[Action]:
        epoch = self._session.epoch
        actions = self._session.on_message(message, now_s)
        if self._session.epoch != epoch:
            self._receiver.attached_anew(now_s)
            actions += self._say(*self._answers.attached_anew(now_s))
        if isinstance(message, SymbolFrame):
            if message.users == (self._spec.user,) and not _readable(message):
                actions.append(Drop("ce", message, "bad_samples"))  # missing, so it is asked for
            elif message.users == (self._spec.user,) and self._receiver.has(message):
                actions.append(Drop("ce", message, "repeated"))
            elif message.users == (self._spec.user,):
                actions += self._act(self._receiver.on_frame(message, now_s))
            else:
                actions.append(self._not_mine(message, list(message.users)))
        elif isinstance(message, SideInfo | Cancel | AnswerAck):
            if message.user == self._spec.user:
                actions += self._on_named(message, now_s)
            else:
                actions.append(self._not_mine(message, [message.user]))
        return actions + self._drained()

    def on_control(self, message: Message, now_s: float) -> list[Action]:
        if isinstance(message, Ask):
            return self._say(self._uplink.ask(message, now_s))
        if isinstance(message, Command) and message.verb == "drain":
            self._drain_asked = True
        return self._drained()

    def on_tick(self, now_s: float) -> list[Action]:
        if self._quiet:
            return []
        actions = self._session.on_tick(now_s)
        if self._session.attached:
            actions += self._act(self._receiver.on_tick(now_s, self._session.heard_s))
            actions += self._say(*self._answers.on_tick(now_s), *self._uplink.on_tick(now_s))
        return actions + self._drained()

    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]:
        job, _, name = key.partition(":")
        if job == "glimpse":
            return self._on_glimpse(name, result)
        reception = self._decoding.pop(name)
        if name in self._cancelled:
            self._cancelled.discard(name)
            self._answers.cancel(name)
            return self._drained()
        if not isinstance(result, Decoded):
            detail = " ".join(str(result).split())[:160]
            reason = f"decode: {type(result).__name__}: {detail}"
            result = Decoded("failed", reason, "", (), None, 0, "", {})
        if result.status == CACHE_MISS:
            return [] if self._quiet else self._say(cache_miss_feedback(reception.side)) + self._drained()
        answer = self._answer(name, result)
        actions = _records(name, answer, result)
        if not self._quiet:
            actions += self._say(*self._answers.add(answer, reception.side.group_id, now_s))
            actions += self._look_at(reception)
        return actions + self._drained()

    def next_wakeup_s(self, now_s: float) -> float | None:
        if self._quiet:
            return None
        times = [self._session.next_wakeup_s(now_s)]
        if self._session.attached:
            times += [self._receiver.next_wakeup_s(self._session.heard_s)]
            times += [self._answers.next_wakeup_s(), self._uplink.next_wakeup_s()]
        return min((t for t in times if t is not None), default=None)

    def quiesce(self) -> list[Action]:
        """Silent from now on, but for answers to what still arrives."""
        self._quiet = True
        self._session.quiesce()
        return []

    # --- the life of a request ------------------------------------------------------------------------

    def _on_named(self, message: SideInfo | Cancel | AnswerAck, now_s: float) -> list[Action]:
        name = message.request_id
        if isinstance(message, AnswerAck):
            answer = self._answers.acknowledge(name)
            return [] if answer is None else self._say(*self._uplink.answered(answer, now_s))
        if isinstance(message, Cancel):
            return self._on_cancel(message, now_s)
        self._uplink.arrived(name)
        if name in self._answers:
            return self._say(*self._answers.polled(message, now_s))
        if name in self._decoding:
            another = message.group_id != self._decoding[name].side.group_id
            return self._say(complete_feedback(message)) if message.attempt or another else []
        if len(self._decoding) >= self._spec.config.limits.open_requests:
            return []  # polled again later
        opened = self._pipeline.open_side(message, self._air())
        if opened is None:
            return self._say(side_missing_feedback(message))
        return self._act(self._receiver.on_side_info(opened, now_s))

    def _on_cancel(self, message: Cancel, now_s: float) -> list[Action]:
        name = message.request_id
        known = self._receiver.cancel(name) or name in self._decoding or name in self._answers
        if name in self._decoding:
            self._cancelled.add(name)
        else:
            self._answers.cancel(name)
        return self._say(*self._uplink.cancelled(name, message.reason, known, now_s))

    def _act(self, outputs: list[Feedback | Reception]) -> list[Action]:
        """Feedback goes out, complete (or given up) requests to the compute thread."""
        actions: list[Action] = []
        for output in outputs:
            if isinstance(output, Feedback):
                actions += self._say(output)
            else:
                actions.append(self._decode(output))
        return actions

    def _decode(self, reception: Reception) -> Compute:
        name = reception.side.request_id
        self._decoding[name] = reception
        air = self._air()

        def job() -> Decoded | None:
            # Read on the compute thread: a request that was cancelled in the queue is not worth decoding.
            if name in self._cancelled:
                return None
            return self._pipeline.run(reception.side, reception.frames, air)

        return Compute(f"decode:{name}", job)

    def _look_at(self, reception: Reception) -> list[Action]:
        """Some of its symbols, for people: after the answer, which must not wait for that.

        No more of these jobs wait than decodings did before them.
        """
        most = self._spec.config.journal.symbols
        if not most:
            return []
        self._glimpses += 1
        look = partial(glimpse, reception.frames, self._air(), most)
        return [Compute(f"glimpse:{reception.side.request_id}", look)]

    def _on_glimpse(self, name: str, seen: Any) -> list[Action]:
        self._glimpses -= 1
        if isinstance(seen, Exception):
            raise seen  # nothing that arrives makes it fail
        who = {"request_id": name, "user": self._spec.user}
        records: list[Action] = [] if seen is None else [Record("ue_air", who | asdict(seen))]
        return records + self._drained()

    def _air(self) -> Air:
        welcome = self._session.welcome
        # Nothing arrives before the emulator's Welcome.
        snr_db = 0.0 if welcome is None else welcome.snr_db
        return Air(self._spec.config.channel, snr_db, self._spec.user)

    def _answer(self, name: str, decoded: Decoded) -> Answer:
        control = decoded.control_text
        return Answer(
            user=self._spec.user,
            incarnation=self._spec.incarnation,
            request_id=name,
            attempt=0,
            status=decoded.status,
            reason=decoded.reason[:256],
            text=decoded.text[:MAX_TEXT_CHARS],
            token_ids=decoded.token_ids[:MAX_LIST],
            control_text=None if control is None else control[:MAX_TEXT_CHARS],
            erased_tokens=decoded.erased_tokens,
            digest=decoded.digest,
            stage_ms=decoded.stage_ms,
            later=tuple(
                (text[:MAX_LATER_CHARS], None if control is None else control[:MAX_LATER_CHARS])
                for text, control in decoded.later
            ),
            kept=decoded.kept,
        )

    def _drained(self) -> list[Action]:
        """`Done` once, when no request waits, is decoded or looked at, or has an answer that is repeated."""
        if not self._drain_asked or len(self._receiver) or self._decoding or self._glimpses:
            return []
        if self._answers.unacknowledged():
            return []
        self._drain_asked = False
        user, incarnation = self._spec.user, self._spec.incarnation
        return [
            Record("process", {"what": "drained", "incarnation": incarnation, "detail": ""}),
            Tell(Done(role="ue", user=user, verb="drain", values={"overflows": self._receiver.overflows})),
        ]

    @staticmethod
    def _say(*messages: Feedback | Answer | UplinkRequest | AskResult) -> list[Action]:
        """Results go to the one who asked, everything else on the air."""
        return [Tell(m) if isinstance(m, AskResult) else Send("ce", m) for m in messages]

    def _not_mine(self, message: Message, meant_for: list[int]) -> Record:
        """A message for another user: the verdict looks for this."""
        return Record("misdelivered", {"user": self._spec.user, "kind": message.KIND, "meant_for": meant_for})


def _records(name: str, answer: Answer, decoded: Decoded) -> list[Action]:
    """What the journal is told of a request that was worked on."""
    who = {"request_id": name, "user": answer.user}
    tokens = {
        "digest": answer.digest,
        "sent_tokens": decoded.sent_tokens,
        "erased_tokens": decoded.erased_tokens,
    }
    if decoded.layout:
        tokens |= {"image_tokens": decoded.layout}
    said = {"text": answer.text, "later": answer.later, "status": answer.status, "reason": answer.reason}
    return [Record("ue_tokens", who | tokens), Record("ue_answer", who | said)]


def _readable(frame: SymbolFrame) -> bool:
    """Whether there are as many samples as the frame's header says, all of them finite."""
    try:
        samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)
    except ProtocolError:
        return False
    return True
