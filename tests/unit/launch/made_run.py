"""A run made by hand, through the real books: messages go bs -> ce -> ue as the links count them."""

import json
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.ledger import Counters, LedgerRow, merge
from shared.meter import Meter, Sizes
from shared.wire.messages import (
    PROTOCOL_VERSION,
    Answer,
    AnswerAck,
    Feedback,
    Heartbeat,
    Hello,
    Message,
    SideInfo,
    SymbolFrame,
    Welcome,
)

PUBLIC_USES, PRIVATE_USES, PILOTS = 160, 48, 16


def frame(users: tuple[int, ...], group: int, number: int, attempt: int = 0) -> SymbolFrame:
    public = len(users) > 1
    uses = PILOTS + (PUBLIC_USES if public else PRIVATE_USES)
    return SymbolFrame(
        stream="public" if public else "private", users=users, group_id=group, frame_id=number,
        attempt=attempt, first_token=0, n_tokens=1, uses_per_token=uses - PILOTS, pilot_uses=PILOTS,
        first_use=0, uses=uses, energy=float(uses), sample_format="cs16", full_scale=3.0,
        payload=bytes(4 * uses),
    )  # fmt: skip


@dataclass
class MadeRun:
    """`run()` gives a valid run of one group; tests then break it."""

    folder: Path
    users: int = 3
    events: list[dict[str, Any]] = field(default_factory=list)
    _clock: float = 0.0

    def __post_init__(self) -> None:
        (self.folder / "counters").mkdir(parents=True, exist_ok=True)
        ends = ["bs", "ce", *(f"ue:{user}" for user in range(self.users))]
        self.counters = {
            end: Counters(self.folder / "counters" / f"{end.replace(':', '-')}.0.bin") for end in ends
        }
        self.meters = {end: Meter(counters, end) for end, counters in self.counters.items()}
        weakref.finalize(self, _close, list(self.counters.values()))

    def event(self, role: str, event: str, user: int = -1, **fields: Any) -> None:
        self._clock += 0.01
        head = {"t": self._clock, "wall": 1000.0 + self._clock, "host": "here", "role": role, "pid": 1}
        self.events.append({**head, "user": user, "event": event, **fields})

    def hop(self, sender: str, receiver: str, message: Message) -> None:
        sizes = Sizes(90, len(getattr(message, "payload", b"")))
        self.meters[sender].offered(receiver, message, sizes)
        self.meters[receiver].delivered(sender, message, sizes)

    def down(self, message: Message, lost_for: tuple[int, ...] = ()) -> None:
        """From the base station over the emulator to the user or users of the message."""
        self.hop("bs", "ce", message)
        users = message.users if isinstance(message, SymbolFrame) else (message.user,)  # type: ignore[attr-defined]
        for user in users:
            copy = replace(message, users=(user,)) if isinstance(message, SymbolFrame) else message
            if user in lost_for:
                self.meters["ce"].not_sent(f"ue:{user}", copy, Sizes(90, len(copy.payload)), "loss")  # type: ignore[attr-defined]
            else:
                self.hop("ce", f"ue:{user}", copy)

    def damaged(self, receiver: str, message: Message, found: bool = True) -> None:
        """From the emulator with a header that nobody can read; `found`: by the receiver."""
        sizes = Sizes(90, len(getattr(message, "payload", b"")))
        wire = self.meters["ce"].offered(receiver, message, sizes, damaged=True)
        if found:
            self.meters[receiver].unreadable("ce", wire, "bad_checksum")

    def up(self, message: Message) -> None:
        user = message.user  # type: ignore[attr-defined]
        self.hop(f"ue:{user}", "ce", message)
        self.hop("ce", "bs", message)

    def attach(self) -> None:
        for end in self.meters:
            if end == "ce":
                continue
            user = int(end[3:]) if end != "bs" else -1
            role = "bs" if user < 0 else "ue"
            hello = Hello(protocol=PROTOCOL_VERSION, role=role, user=user, incarnation=0, fingerprint="f")
            welcome = Welcome(
                user=user,
                incarnation=0,
                snr_db=10.0,
                credit_bytes=1,
            )
            self.meters[end].connection("ce", 90, 90)
            self.meters["ce"].connection(end, 90, 90)
            self.hop(end, "ce", hello)
            self.hop("ce", end, welcome)
            self.hop(end, "ce", Heartbeat(user=user, incarnation=0, sequence=1))
            self.event(role, "process", user, what="attached", incarnation=0, detail="")

    def request(
        self,
        index: int,
        user: int,
        text: str = "red",
        control: str | None = "blue",
        group: int = 0,
        erased: int = 0,
        later: Sequence[str] = (),
    ) -> None:
        """One request from invoke to acknowledged answer: its private frame, and so many that were lost.

        `later`: answers to the questions after the first, of those asked at the UE.
        """
        name, status, used = f"r{index:06d}", "degraded" if erased else "ok", ("e" if erased else "d") * 32
        self.event(
            "bs", "invoke", user, request_id=name, task="vqa", index=index, ask_id=None, arrival_s=0.0,
            text_chars=10, image="ab" * 8,
        )  # fmt: skip
        self.event("bs", "tokens", user, request_id=name, digest="d" * 32)
        side = SideInfo(
            user=user, request_id=name, group_id=group, attempt=0, first_use=0, uses=80, energy=80.0,
            deadline_ms=1000, frames=(), payload=bytes(10),
        )  # fmt: skip
        self.down(side)
        self.down(frame((user,), group, index + 1))
        for number in range(erased):
            self.down(frame((user,), group, 1_000 + number), lost_for=(user,))
        self.up(
            Feedback(
                user=user, request_id=name, group_id=group, attempt=0, complete=True, side_missing=False,
                missing_frames=(),
            )
        )  # fmt: skip
        counts = {"sent_tokens": 1 + erased, "erased_tokens": erased}
        self.event("ue", "ue_tokens", user, request_id=name, digest=used, **counts)
        self.event("ue", "ue_answer", user, request_id=name, text=text, status=status)
        self.up(
            Answer(
                user=user, incarnation=0, request_id=name, attempt=0, status=status, reason="", text=text,
                token_ids=(1,), control_text=control, erased_tokens=erased, digest=used, stage_ms={},
            )
        )  # fmt: skip
        self.event(
            "bs", status, user, request_id=name, text=text, control_text=control, latency_ms=40.0 + index,
            attempts=1, erased_tokens=erased, digest=used, later=[[answer, control] for answer in later],
            stage_ms={"encode": 10.0, "air": 5.0, "decode": 20.0},
        )  # fmt: skip
        self.down(AnswerAck(user=user, request_id=name))

    def drained(self) -> None:
        self.event("bs", "process", what="drained", detail="")

    def run(self, requests: int = 6, lost_for: tuple[int, ...] = ()) -> "MadeRun":
        self.attach()
        everyone = tuple(range(self.users))
        self.down(frame(everyone, 0, 0), lost_for)
        for user in lost_for:
            self.down(frame((user,), 0, 0, attempt=1))
        for index in range(requests):
            self.request(index, index % self.users)
        self.drained()
        return self

    def rows(self) -> list[LedgerRow]:
        return merge(row for counters in self.counters.values() for row in counters.rows())

    def write_journal(self) -> None:
        lines = "".join(json.dumps(event) + "\n" for event in self.events)
        (self.folder / "journal.jsonl").write_text(lines, encoding="utf-8")


def _close(counters: list[Counters]) -> None:
    for each in counters:
        each.close()
