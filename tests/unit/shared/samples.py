"""One valid message of every kind, and strategies for more."""

from typing import Any

from hypothesis import strategies as st

from shared.wire import messages as m


def side_info(**changes: Any) -> m.SideInfo:
    fields: dict[str, Any] = {
        "user": 0, "request_id": "r000001", "group_id": 1, "attempt": 0, "first_use": 0, "uses": 80,
        "energy": 80.0, "deadline_ms": 100, "frames": ((0, 0, 0, 4), (1, 1, 0, 2)), "payload": b"map",
    }  # fmt: skip
    return m.SideInfo(**(fields | changes))


def symbol_frame(**changes: Any) -> m.SymbolFrame:
    fields: dict[str, Any] = {
        "stream": "public", "users": (0, 1, 2), "group_id": 1, "frame_id": 0, "attempt": 0, "first_token": 0,
        "n_tokens": 2, "uses_per_token": 4, "pilot_uses": 2, "first_use": 7, "uses": 10, "energy": 10.0,
        "sample_format": "cs16", "full_scale": 2.0, "payload": bytes(40),
    }  # fmt: skip
    return m.SymbolFrame(**(fields | changes))


def hello(role: str = "ue", user: int = 0, incarnation: int = 0) -> m.Hello:
    return m.Hello(
        protocol=m.PROTOCOL_VERSION, role=role, user=user, incarnation=incarnation, fingerprint="print"
    )


def welcome(user: int = 0, incarnation: int = 0, credit_bytes: int = 2**20) -> m.Welcome:
    return m.Welcome(
        user=user,
        incarnation=incarnation,
        snr_db=10.0,
        credit_bytes=credit_bytes,
    )


def heartbeat(user: int = 0, incarnation: int = 0, sequence: int = 1) -> m.Heartbeat:
    return m.Heartbeat(user=user, incarnation=incarnation, sequence=sequence)


def feedback(user: int = 0, **changes: Any) -> m.Feedback:
    fields: dict[str, Any] = {
        "user": user, "request_id": "r000001", "group_id": 1, "attempt": 0, "complete": True,
        "side_missing": False, "missing_frames": (),
    }  # fmt: skip
    return m.Feedback(**(fields | changes))


def answer(user: int = 0, incarnation: int = 0, **changes: Any) -> m.Answer:
    fields: dict[str, Any] = {
        "user": user, "incarnation": incarnation, "request_id": "r000001", "attempt": 0, "status": "ok",
        "reason": "", "text": "two cubes", "token_ids": (1, 2), "control_text": None, "erased_tokens": 0,
        "digest": "0" * 32, "stage_ms": {"decode": 1.5},
    }  # fmt: skip
    return m.Answer(**(fields | changes))


def every_message() -> list[m.Message]:
    ready = {"role": "ue", "user": 0, "incarnation": 0, "pid": 1, "endpoint": "", "fingerprint": "x"}
    return [
        hello(), welcome(), heartbeat(), feedback(), answer(), side_info(), symbol_frame(),
        answer(control_text="one", later=(("three", "none"), ("", None))), side_info(questions_of=7),
        m.Refused(user=0, code="fenced", detail="", incarnation=1),
        m.PeerState(user=0, incarnation=0, state="attached", snr_db=1.0),
        m.Credit(user=0, incarnation=0, consumed_bytes=2**40),
        m.Bye(user=0, incarnation=0),
        m.Cancel(user=0, request_id="r000001", reason="expired"),
        m.AnswerAck(user=0, request_id="r000001"),
        m.UplinkRequest(user=0, client_id="c1", task="vqa", text="wie viele Würfel?", payload=b""),
        m.Ready(**ready),
        m.RoleFailed(role="ue", user=0, exit_code=1, detail="no bundle"),
        m.Command(verb="stop"),
        m.Inject(fault='{"fault": "noop"}'),
        m.Done(role="ue", user=0, verb="sample", values={"a": 1, "b": "text", "c": 1.5}),
        m.WorkloadDone(attempted=3),
        m.Ask(ask_id="a", user=0, task="vqa", text="what?", payload=b"image"),
        m.AskResult(ask_id="a", user=0, state="answered", reason="", text="two", latency_ms=3.0),
        m.Progress(role="ue", user=0, values={"answered": 3}),
    ]  # fmt: skip


def json_values() -> st.SearchStrategy[Any]:
    """Whatever JSON and YAML can say, NaN, infinities and lone surrogates too."""
    text = st.text(st.characters(), max_size=8) | st.just("\ud800\n")
    numbers = st.integers() | st.floats() | st.just(10**400)
    return st.recursive(
        st.none() | st.booleans() | numbers | text,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    )
