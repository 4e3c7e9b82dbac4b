"""A scheme that no role knows: the question as plain QPSK, and an answer that spells it backwards.

No model, no code: the least that a scheme of one's own needs. Where noise turns a symbol into another one,
the digests of both ends differ.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from basestation.pipeline import AdmittedRequest, GroupPlan
from shared.air import samples
from shared.schemes import Scheme
from shared.spec import RoleSpec
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.channel_decode import Air
from userequipment.pipeline import Decoded, Frames

SCHEME = Scheme(
    "plain",
    "docs.examples.plain_scheme:sender_half",
    "docs.examples.plain_scheme:receiver_half",
    only={"question_at": ("bs",)},
    tasks=("vqa",),
)
SYMBOLS_OF_A_BYTE = 4
_POINTS = np.array([1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j], np.complex64) / np.float32(2**0.5)


def sender_half(spec: RoleSpec) -> "Sender":
    return Sender(spec)


def receiver_half(spec: RoleSpec, questions: Mapping[int, tuple[str, ...]]) -> "Receiver":
    return Receiver()


class Sender:
    fingerprint = "plain"

    def __init__(self, spec: RoleSpec) -> None:
        self._format = spec.config.channel.sample_format

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        frames = [self._frame(group_id, number, r) for number, r in enumerate(requests)]
        return GroupPlan(
            group_id=group_id,
            frames=tuple(frames),
            side={r.request_id: _side(group_id, r, f) for r, f in zip(requests, frames, strict=True)},
            digests={r.request_id: _digest(group_id, r.text.encode()) for r in requests},
            stage_ms={},
            public_tokens=0,
            private_tokens=sum(f.n_tokens for f in frames),
            merged_tokens=0,
        )

    def _frame(self, group_id: int, number: int, r: AdmittedRequest) -> SymbolFrame:
        text = np.frombuffer(r.text.encode(), np.uint8)
        signal = _POINTS[(text[:, None] >> np.array([6, 4, 2, 0])) & 3].reshape(-1)
        payload, full_scale = samples.to_wire(signal, self._format)
        return SymbolFrame(
            stream="private", users=(r.user,), group_id=group_id, frame_id=number, attempt=0, first_token=0,
            n_tokens=len(text), uses_per_token=SYMBOLS_OF_A_BYTE, pilot_uses=0, first_use=0,
            uses=len(signal), energy=float(len(signal)), sample_format=self._format, full_scale=full_scale,
            payload=payload,
        )  # fmt: skip


class Receiver:
    fingerprint = "plain"
    combines = False

    def warm_up(self, snr_db: float) -> None:
        """Nothing is slow."""

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None:
        return side

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float:
        raise AssertionError("the first copy is all that counts")

    def run(self, side: SideInfo, frames: Frames, air: Air) -> Decoded:
        (copies,) = frames.values()
        frame = copies[0]
        received = samples.from_wire(frame.payload, frame.sample_format, frame.full_scale, frame.uses)
        nearest = (
            np.abs(received[:, None] - _POINTS).argmin(1).astype(np.uint8).reshape(-1, SYMBOLS_OF_A_BYTE)
        )
        text = (nearest << np.array([6, 4, 2, 0], np.uint8)).sum(1).astype(np.uint8).tobytes()
        said = text.decode(errors="replace")[::-1]
        return Decoded("ok", "", said, (), None, 0, _digest(side.group_id, text), {})


def _digest(group_id: int, text: bytes) -> str:
    return hashlib.blake2b(f"{group_id}".encode() + text, digest_size=16).hexdigest()


def _side(group_id: int, r: AdmittedRequest, frame: SymbolFrame) -> SideInfo:
    return SideInfo(
        user=r.user, request_id=r.request_id, group_id=group_id, attempt=0, first_use=0, uses=0, energy=0.0,
        deadline_ms=30_000, frames=((frame.frame_id, 1, 0, frame.n_tokens),), payload=b"",
    )  # fmt: skip
