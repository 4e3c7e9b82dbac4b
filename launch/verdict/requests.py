"""The journal's side of the verdict: every request ends exactly once, at its own user, with its own tokens.

attempted = answered + degraded + failed + expired + refused; lost, duplicated and misdelivered are 0
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from launch.verdict.findings import Findings

STATE_OF = {
    "ok": "answered",
    "degraded": "degraded",
    "fail": "failed",
    "expired": "expired",
    "refused": "refused",
}
COUNTS = (
    "attempted", "answered", "degraded", "failed", "expired", "refused",
    "late", "lost", "duplicated", "misdelivered", "unresolved",
)  # fmt: skip

Event = Mapping[str, Any]


@dataclass
class RequestStory:
    """What the journal tells of one request. Places are positions of events in the journal's order.

    `digests`: of every transmission; several where a base station or a UE lost what it had. `ue_digests`: of
    every decoding, as (user, digest); `erased`: those of them, by position, that lacked tokens.
    """

    request_id: str
    invoke: Event | None = None
    invoked_at: int = -1
    ended_at: int = -1
    ends: list[Event] = field(default_factory=list)
    unknown: bool = False
    digests: list[str] = field(default_factory=list)
    ue_digests: list[tuple[int, str]] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    ue_answers: list[Event] = field(default_factory=list)
    repeated: list[Event] = field(default_factory=list)
    image_of: list[str] = field(default_factory=list)

    @property
    def user(self) -> int | None:
        return None if self.invoke is None else self.invoke.get("user")

    @property
    def state(self) -> str | None:
        """Its one terminal state; None while it has none. The first counts if there are several."""
        return STATE_OF[self.ends[0]["event"]] if self.ends else None


def stories(events: Sequence[Event]) -> dict[str, RequestStory]:
    """Request id -> its story, in order of first mention."""
    found: dict[str, RequestStory] = {}
    for place, event in enumerate(events):
        name = event.get("request_id")
        kind = event.get("event")
        if not isinstance(name, str):
            continue
        story = found.setdefault(name, RequestStory(name))
        if kind == "invoke" and story.invoke is None:
            story.invoke, story.invoked_at = event, place
            story.ended_at = max(story.ended_at, place)
        elif kind in STATE_OF:
            story.ended_at = place if not story.ends else story.ended_at
            story.ends.append(event)
        elif kind == "info":
            story.unknown = True
        elif kind == "tokens":
            story.digests.append(str(event.get("digest", "")))
            story.image_of += [str(event["image_of"])] if event.get("image_of") else []
        elif kind == "ue_tokens":
            story.ue_digests.append((event.get("user", -1), str(event.get("digest", ""))))
        elif kind == "ue_answer":
            story.ue_answers.append(event)
            if event.get("status") != "ok" and story.ue_digests:
                story.erased.append(len(story.ue_digests) - 1)
        elif kind == "duplicate_answer":
            story.repeated.append(event)
    return found


def check_requests(events: Sequence[Event], findings: Findings) -> dict[str, int]:
    """Add findings on requests; the counts of `COUNTS`."""
    counts = dict.fromkeys(COUNTS, 0)
    drained_at = max((place for place, event in enumerate(events) if _is_drained(event)), default=-1)
    told = stories(events)
    for story in told.values():
        _check_ends(story, drained_at, counts, findings)
        _check_receiver(story, counts, findings)
        _check_digests(story, findings)
        _check_reference(story, told, findings)
    _check_repeated_invokes(events, findings)
    for event in events:
        counts["late"] += event.get("event") == "late"
        if event.get("event") == "misdelivered":
            counts["misdelivered"] += 1
            findings.fault(
                "wrong user",
                f"{event.get('request_id') or event.get('kind', 'a message')} for user "
                f"{event.get('meant_for')} came to or from user {event.get('user')}",
            )
    return counts


def _check_ends(story: RequestStory, drained_at: int, counts: dict[str, int], findings: Findings) -> None:
    name = story.request_id
    if story.invoke is None:
        if story.ends or story.digests:
            findings.fault("never asked", f"{name} has events of the base station but no invoke")
        elif story.ue_answers:
            findings.fault("never asked", f"{name} was answered by a UE but never invoked")
        return
    counts["attempted"] += 1
    if story.state is not None:
        counts[story.state] += 1
    elif story.unknown:
        counts["unresolved"] += 1
        findings.doubt("unresolved request", f"{name} of user {story.user}: its outcome is not known")
    elif story.invoked_at < drained_at:
        counts["lost"] += 1
        findings.fault(
            "lost request",
            f"{name} of user {story.user} has no terminal state after the base station drained",
        )
    else:
        counts["unresolved"] += 1
        findings.doubt("unresolved request", f"{name} of user {story.user} was open when the journal ends")
    if len(story.ends) > 1:
        kinds = ", ".join(str(end["event"]) for end in story.ends)
        findings.fault("duplicate answer", f"{name} has {len(story.ends)} terminal states ({kinds})")
    most = max(Counter((e.get("host"), e.get("pid")) for e in story.ue_answers).values(), default=0)
    if most > 1:  # a process that came after a killed one may answer anew
        findings.fault("duplicate answer", f"{name}: one process of user {story.user} answered {most} times")
    counts["duplicated"] += len(story.ends) > 1 or most > 1


def _check_receiver(story: RequestStory, counts: dict[str, int], findings: Findings) -> None:
    """An answer of another user, or one that the base station records differently from the UE."""
    if story.invoke is None:
        return
    strangers = {
        event.get("user") for event in (*story.ends, *story.ue_answers) if event.get("user") != story.user
    }
    strangers |= {user for user, _ in story.ue_digests if user != story.user}
    if strangers:
        counts["misdelivered"] += 1
        users = ", ".join(map(str, sorted(strangers, key=str)))
        findings.fault("wrong user", f"{story.request_id} of user {story.user} was answered for user {users}")
    for end in (*story.ends, *story.repeated):
        if end["event"] not in ("ok", "degraded", "duplicate_answer"):
            continue
        if not story.ue_answers:
            findings.doubt("no UE answer", f"{story.request_id}: answered, but no UE recorded an answer")
        elif all(_said(answer) != _said(end) for answer in story.ue_answers):
            which = "one that came again" if end["event"] == "duplicate_answer" else "the one recorded"
            findings.fault("changed answer", f"{story.request_id}: the UE's answer is not {which}")


def _said(event: Event) -> tuple[Any, list[Any]]:
    """Every answer in an event: the first, and those to further questions asked at the UE."""
    return event.get("text"), list(event.get("later") or ())


def _check_digests(story: RequestStory, findings: Findings) -> None:
    """The UE used the tokens of one of the transmissions; erased tokens change the digest."""
    ok = next((end for end in story.ends if end["event"] == "ok"), None)
    if ok is None:
        return
    if not story.digests or not story.ue_digests:
        end = "base station" if not story.digests else "UE"
        findings.doubt("no token digest", f"{story.request_id}: the {end} recorded none")
        return
    whole = {digest for n, (_, digest) in enumerate(story.ue_digests) if n not in story.erased}
    sent, used = set(story.digests), whole | {str(ok.get("digest", story.digests[-1]))}
    if not used <= sent:
        findings.fault(
            "token mismatch", f"{story.request_id}: base station {_short(sent)}, UE {_short(used)}"
        )


def _short(digests: set[str]) -> str:
    return ", ".join(sorted(digest[:12] for digest in digests))


def _check_reference(story: RequestStory, told: Mapping[str, RequestStory], findings: Findings) -> None:
    """An image that was referred to, not sent, is the one that the request is about, and was this user's."""
    for identity in story.image_of:
        source = told.get(identity.partition(":")[2])  # `shared.semantic_cache.identity_of`
        if story.invoke is None or source is None or source.invoke is None:
            findings.doubt("unknown image", f"{story.request_id} refers to what {identity} brought")
        elif any(source.invoke.get(name) != story.invoke.get(name) for name in ("image", "user")):
            findings.fault(
                "stale image", f"{story.request_id} refers to what {identity} brought, another image"
            )


def _check_repeated_invokes(events: Iterable[Event], findings: Findings) -> None:
    seen: set[str] = set()
    for event in events:
        name = event.get("request_id")
        if event.get("event") != "invoke" or not isinstance(name, str):
            continue
        if name in seen:
            findings.fault("repeated id", f"{name} was invoked twice")
        seen.add(name)


def _is_drained(event: Event) -> bool:
    return event.get("event") == "process" and event.get("what") == "drained" and event.get("role") == "bs"
