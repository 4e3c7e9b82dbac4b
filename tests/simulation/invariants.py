"""What must hold of every simulated run, whatever the network did."""

from collections import Counter

from basestation.recovery import TERMINAL_EVENTS
from launch.reference.journal import undocumented
from shared.wire.messages import SideInfo, SymbolFrame
from tests.simulation.stand_ins import expected_text
from tests.simulation.world import World


def check_invariants(
    world: World, questions: dict[str, tuple[str, str | None]] | None = None
) -> Counter[str]:
    """Assert them; returns the number of terminal states by event.

    `questions`: request_id -> (text, image key), to verify answers made by the stand-ins.
    """
    invoked = [e["request_id"] for e in world.events("invoke")]
    assert len(invoked) == len(set(invoked)), "a request id was given twice"
    ended = Counter(e["request_id"] for e in world.events(*TERMINAL_EVENTS))
    assert set(invoked) - set(ended) == set(), "lost"
    assert set(ended) - set(invoked) == set(), "ended without having begun"
    assert max(ended.values(), default=1) == 1, "duplicated"
    assert not [e for e in world.journal if e["event"] in ("misdelivered", "unexpected_answer")]
    user_of = {e["request_id"]: e["user"] for e in world.events("invoke")}
    for e in world.events("ok"):
        assert e["user"] == user_of[e["request_id"]]
        if questions is not None:
            text, image_key = questions[e["request_id"]]
            assert e["text"] == expected_text(e["user"], text, image_key), "somebody else's answer"
    assert undocumented(world.journal) == [], "docs/journal.md says otherwise"
    check_transmissions(world)
    check_digests(world)
    return Counter(e["event"] for e in world.events(*TERMINAL_EVENTS))


def check_transmissions(world: World) -> None:
    """Bounds, distinct attempts, and a downlink clock that never gives a channel use twice."""
    bound = world.config.retransmission.max_attempts
    assert max(world.transmissions.values(), default=0) <= bound
    attempts: Counter[tuple[int, int, int, int]] = Counter()
    next_use = 0
    for _, name, message in world.sent:
        if name != "bs" or not isinstance(message, SymbolFrame | SideInfo):
            continue
        assert message.first_use >= next_use, "two things on the air at one time"
        next_use = message.first_use + message.uses
        if isinstance(message, SymbolFrame):
            assert message.attempt < bound
            attempts.update((message.group_id, message.frame_id, message.attempt, u) for u in message.users)
    assert max(attempts.values(), default=1) == 1, "the same noise would be drawn twice"


def check_digests(world: World) -> None:
    """Both ends agree on the identity of a request's tokens, unless some of them were lost."""
    sent = {(e["request_id"], e["digest"]) for e in world.events("tokens")}
    whole = {e["request_id"] for e in world.events("ue_answer", role="ue") if e["status"] == "ok"}
    for e in world.events("ue_tokens", role="ue"):
        if e["request_id"] in whole:
            assert (e["request_id"], e["digest"]) in sent
