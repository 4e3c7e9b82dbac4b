"""Builders of what the emulator is given."""

from pathlib import Path
from typing import Any

import numpy as np

from shared.air.samples import to_wire
from shared.config import RunConfig
from shared.spec import RoleSpec
from shared.wire.messages import (
    PROTOCOL_VERSION,
    Answer,
    AnswerAck,
    Cancel,
    Feedback,
    Heartbeat,
    Hello,
    SideInfo,
    SymbolFrame,
)


def config(
    users: int = 4, seed: int = 1, faults: tuple[dict[str, Any], ...] = (), **channel: Any
) -> RunConfig:
    return RunConfig.model_validate({"users": users, "seed": seed, "channel": {**channel, "faults": faults}})


def spec(run: RunConfig) -> RoleSpec:
    return RoleSpec(
        run_id="r", role="ce", user=-1, incarnation=0, config=run, run_dir=Path("run"),
        control_endpoint="", data_endpoint="", host="here",
    )  # fmt: skip


def hello(user: int = -1, incarnation: int = 0, fingerprint: str = "f", **changes: Any) -> Hello:
    fields = {
        "protocol": PROTOCOL_VERSION, "role": "bs" if user < 0 else "ue", "user": user,
        "incarnation": incarnation, "fingerprint": fingerprint,
    }  # fmt: skip
    return Hello(**{**fields, **changes})


def heartbeat(user: int = -1, incarnation: int = 0) -> Heartbeat:
    return Heartbeat(user=user, incarnation=incarnation, sequence=0)


def qpsk(n: int, seed: int = 0) -> np.ndarray:
    bits = np.random.default_rng(seed).integers(0, 2, (n, 2))
    return (((1 - 2 * bits) @ np.array([1, 1j])) / np.sqrt(2)).astype(np.complex64)


def frame(
    users: tuple[int, ...] = (0,),
    samples: np.ndarray | None = None,
    sample_format: str = "cf32",
    pilot_uses: int = 0,
    n_tokens: int = 1,
    **changes: Any,
) -> SymbolFrame:
    """`n_tokens` tokens that share what samples there are beside the pilots."""
    x = qpsk(64) if samples is None else samples
    payload, full_scale = to_wire(x, sample_format)
    fields: dict[str, Any] = {
        "stream": "public" if len(users) > 1 else "private", "users": users, "group_id": 0, "frame_id": 0,
        "attempt": 0, "first_token": 0, "n_tokens": n_tokens,
        "uses_per_token": (x.size - pilot_uses) // n_tokens,
        "pilot_uses": pilot_uses, "first_use": 0, "uses": x.size, "energy": float(x.size),
        "sample_format": sample_format, "full_scale": full_scale, "payload": payload,
    }  # fmt: skip
    return SymbolFrame(**(fields | changes))


def side_info(user: int = 0, request_id: str = "r000000", attempt: int = 0) -> SideInfo:
    return SideInfo(
        user=user, request_id=request_id, group_id=0, attempt=attempt, first_use=0, uses=64, energy=64.0,
        deadline_ms=1_000, frames=((0, 0, 0, 1),), payload=b"map",
    )  # fmt: skip


def cancel(user: int = 0, request_id: str = "r000000") -> Cancel:
    return Cancel(user=user, request_id=request_id, reason="expired")


def answer_ack(user: int = 0, request_id: str = "r000000") -> AnswerAck:
    return AnswerAck(user=user, request_id=request_id)


def feedback(user: int = 0, request_id: str = "r000000", attempt: int = 0) -> Feedback:
    return Feedback(
        user=user, request_id=request_id, group_id=0, attempt=attempt, complete=True, side_missing=False,
        missing_frames=(),
    )  # fmt: skip


def answer(user: int = 0, incarnation: int = 0, attempt: int = 0) -> Answer:
    return Answer(
        user=user, incarnation=incarnation, request_id="r000000", attempt=attempt, status="ok", reason="",
        text="red", token_ids=(1,), control_text=None, erased_tokens=0, digest="", stage_ms={},
    )  # fmt: skip
