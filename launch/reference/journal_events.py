"""Every event of the journal: who writes it, when, and its own fields."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """`fields` beside those that every line has; `sometimes` are not in every such line."""

    by: str
    when: str
    fields: dict[str, str] = field(default_factory=dict)
    sometimes: dict[str, str] = field(default_factory=dict)


_REQUEST = {"request_id": "its name in the run"}
_GROUP = {"group_id": "the group", "requests": "names of its requests"}
_ON_AIR = {"messages": "how many", "next_use": "channel uses of the downlink's clock so far"}
_REASON = {"reason": "why; empty where there is nothing to say"}
_ANSWER = {
    "status": "`ok`, `degraded`, `failed`, as the UE said",
    "text": "the answer",
    "control_text": "what the control answered; null without one",
    "later": "answers to the further questions that were asked at the UE, each with its control",
    "latency_ms": "from admission to the answer's arrival",
    "attempts": "the most often that one of its frames was sent",
    "erased_tokens": "tokens that the UE did not have",
    "generated_tokens": "tokens that the model wrote",
    "digest": "of the tokens that the UE used",
    "stage_ms": "time by stage",
}

EVENTS: Final[dict[str, JournalEvent]] = {
    "invoke": JournalEvent(
        "bs",
        "a request was attempted",
        _REQUEST
        | {
            "task": "`vqa`, `caption`, `text_classification`",
            "index": "line of the workload; null for one from outside",
            "ask_id": "name that `m4sc ask` gave it, or null",
            "arrival_s": "when the workload says that it came; null for one from outside",
            "admitted_s": "when it came in, on this host's clock",
            "question_at": "`bs`, `ue`",
            "text_chars": "length of its text",
            "text": "what was asked from outside; null for the workload's, which its file has",
            "image": "the first 16 digits of its image's SHA-256, or null",
        },
    ),
    "resumed": JournalEvent(
        "bs",
        "a restarted base station goes on with it",
        _REQUEST
        | {
            "sent": "whether the earlier process had sent it",
            "suspect": "whether it was in the encoder when that process ended",
        },
    ),
    "rejected": JournalEvent(
        "bs", "a UE's own question whose id is not one of its own", {"client_id": "what it said"}
    ),
    "group": JournalEvent("bs", "a group goes into the encoder", _GROUP),
    "encoded": JournalEvent(
        "bs",
        "a group comes out of it",
        _GROUP
        | {
            "stage_ms": "time by stage",
            "public_tokens": "sent once for several users",
            "private_tokens": "sent for one",
            "merged_tokens": "not sent, since another stands in for them",
        },
    ),
    "tokens": JournalEvent(
        "bs",
        "a request of the group is about to be sent",
        _REQUEST | {"digest": "of the tokens that its UE is to use"},
        {
            "image_of": "the cached image that it is referred to",
            "image_tokens": "what becomes of each image token, in raster order (`shared/token_layout.py`): "
            "`64D3P33V`, D dropped, P public, V private, K cached; where the scheme has such tokens",
        },
    ),
    "sent": JournalEvent("bs", "a group's first transmission", {"group_id": "the group"} | _ON_AIR),
    "resent": JournalEvent("bs", "what UEs had asked for goes out again", _ON_AIR),
    "polled": JournalEvent("bs", "a silent UE is sent its index map again", _REQUEST | _ON_AIR),
    "cache_miss": JournalEvent("bs", "a UE lacks the image that it was referred to", _REQUEST),
    "suspect": JournalEvent(
        "bs",
        "a UE's process ended while it had this request",
        _REQUEST | {"deaths": "how many ended so"},
    ),
    "ok": JournalEvent("bs", "terminal: answered", _REQUEST | _REASON | _ANSWER),
    "degraded": JournalEvent("bs", "terminal: answered, with tokens missing", _REQUEST | _REASON | _ANSWER),
    "fail": JournalEvent("bs", "terminal: failed", _REQUEST | _REASON, _ANSWER),
    "expired": JournalEvent("bs", "terminal: its deadline came", _REQUEST | _REASON),
    "refused": JournalEvent("bs", "terminal: not admitted, or its image is none", _REQUEST | _REASON),
    "info": JournalEvent(
        "bs", "the run ended before the request: unknown", _REQUEST | {"detail": "in which state it was left"}
    ),
    "late": JournalEvent(
        "bs", "an answer to a request that has ended without one", _REQUEST | {"detail": "how"}
    ),
    "duplicate_answer": JournalEvent(
        "bs",
        "a second answer, without effect",
        _REQUEST | {"text": "the answer", "later": "the further ones"},
    ),
    "unexpected_answer": JournalEvent(
        "bs", "an answer to what was never sent", _REQUEST | {"state": "that of the request"}
    ),
    "misdelivered": JournalEvent(
        "bs, ue",
        "what belongs to another user arrived; the verdict is invalid",
        {"meant_for": "the user, or at a UE the users, whom it was for"},
        _REQUEST | {"kind": "at a UE: of the message"},
    ),
    "ue_tokens": JournalEvent(
        "ue",
        "a UE has decoded a request",
        _REQUEST
        | {
            "digest": "of the tokens that it used",
            "sent_tokens": "how many the index map names",
            "erased_tokens": "how many of them it did not have",
        },
        {"image_tokens": "as in `tokens`; E for one that was lost"},
    ),
    "ue_air": JournalEvent(
        "ue",
        "some symbols of a frame of that request, as they were received (`journal.symbols`)",
        _REQUEST
        | {
            "snr_db": "the average of its channel then; null without noise",
            "received_db": "what the frame was received with; null without noise",
            "received": "[I, Q] of each",
            "equalised": "[I, Q] of the same ones",
        },
    ),
    "ue_answer": JournalEvent(
        "ue",
        "its answer, before it is sent",
        _REQUEST
        | _REASON
        | {"text": "the answer", "later": "the further ones", "status": "`ok`, `degraded`, `failed`"},
    ),
    "kernel": JournalEvent(
        "bs, ce, ue",
        "at a role's end, for each connection of the data plane",
        {
            "link": "both ends: `ce ue:3`",
            "local": "address",
            "remote": "address",
            "bytes_sent": "by the kernel, TCP's repetitions included",
            "bytes_retrans": "TCP's repetitions",
            "bytes_received": "by the kernel",
            "ledger_sent": "by the link",
            "ledger_received": "by the link",
        },
    ),
    "process": JournalEvent(
        "all",
        "something happened to a process",
        {"what": "see below", "detail": "one line for people"},
        {
            "incarnation": "whose: 0 for a role's first process",
            "peer": "whom it is about",
            "place": "the host",
            "exit_code": "of the process",
        },
    ),
    "fault": JournalEvent(
        "ce, agent",
        "something happened to a fault",
        {"what": "see below", "strikes": "messages or processes that it has hit so far"},
        {
            "fault": "its name: `loss.0`, the first of its kind",
            "on": "the role, of a fault on processes",
            "config": "of one that was injected",
            "ready_after_s": "from its begin until the role was ready again",
            "why": "why it could not strike or be ended",
        },
    ),
}

PROCESS_WHATS: Final = {
    "started": "a role's process runs",
    "ready": "it can do its work",
    "attached": "a peer has its session with the emulator",
    "detached": "a peer has lost its session",
    "refused": "the emulator does not accept a peer",
    "fenced": "an incarnation that has been replaced was told so",
    "first_message": "the first message of the run passed the emulator: the clock of its faults begins",
    "drained": "nothing is open any more",
    "stopping": "the role reports its counters and ends",
    "stalled": "events waited for a full disk, which has room again",
    "lost": "leaving, it heard no goodbye from the emulator",
    "exit": "the role's last line",
    "crashed": "a process ended that nobody had asked to",
    "joined": "a UE that came late is ready",
    "restarted": "a role that was started again is ready",
    "returned": "a role that had left in good order is ready again",
    "late": "a step of the ordered stop took too long",
    "killed": "a role did not end by itself",
    "interrupted": "a person stopped the run",
    "not_sampled": "what processes use could not be read",
    "host_lost": "an agent says nothing any more",
    "unreachable": "a role was lost with its host",
}
FAULT_WHATS: Final = {
    "begin": "it is active",
    "strike": "it harmed its first message",
    "end": "it is over",
    "inject": "it was put in while the run went on",
    "heal": "all faults of a scenario are over, or were ended by hand",
}
