"""Deterministic stand-ins for the pipelines: no model, but the same messages and the same failure modes.

Every token is one cf32 sample that says what it is; the UE's answer spells out what it received, so an
answer made of another group's, request's or user's tokens is wrong by inspection.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from basestation.pipeline import AdmittedRequest, GroupPlan
from shared.wire.messages import SideInfo, SymbolFrame
from userequipment.channel_decode import Air
from userequipment.pipeline import Decoded, Frames

PUBLIC_TOKENS = 12
TOKENS_PER_FRAME = 4


def stamp(*names: object) -> int:
    """A number below 900,000, exact in float32 and a lawful amplitude, that stands for `names`."""
    text = "/".join(map(str, names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % 900_000


def expected_text(user: int, text: str, image_key: str | None) -> str:
    """What the UE must answer when everything arrived."""
    return f"{user}:{stamp('words', user, text)}:{stamp('image', image_key)}"


class StandInGroupPipeline:
    """Image tokens public when two or more requests share the image, else private; words private.

    `spoil` may raise for a request, as a real stage might.
    """

    def __init__(self, spoil: Callable[[AdmittedRequest], None] = lambda _: None) -> None:
        self._spoil = spoil

    def run(self, group_id: int, requests: Sequence[AdmittedRequest]) -> GroupPlan:
        for request in requests:
            self._spoil(request)
        frames: list[SymbolFrame] = []
        named: dict[str, list[tuple[int, int, int, int]]] = {r.request_id: [] for r in requests}
        by_image: dict[str | None, list[AdmittedRequest]] = {}
        for r in requests:
            by_image.setdefault(r.image_key, []).append(r)
        first_public = 0
        for key, sharers in by_image.items():
            users = tuple(sorted({r.user for r in sharers}))
            if len(sharers) > 1:
                values = [stamp("image", key)] * PUBLIC_TOKENS
                made = _frames(group_id, "public", users, first_public, values, len(frames))
                first_public += PUBLIC_TOKENS
                frames += made
                for r in sharers:
                    named[r.request_id] += [(f.frame_id, 0, f.first_token, f.n_tokens) for f in made]
        for r in requests:
            values = [stamp("words", r.user, r.text)] * 2
            if len(by_image[r.image_key]) == 1:
                values += [stamp("image", r.image_key)] * PUBLIC_TOKENS
            made = _frames(group_id, "private", (r.user,), 0, values, len(frames))
            frames += made
            named[r.request_id] += [(f.frame_id, 1, f.first_token, f.n_tokens) for f in made]
        return GroupPlan(
            group_id=group_id,
            frames=tuple(frames),
            side={r.request_id: _side(group_id, r, named[r.request_id]) for r in requests},
            digests={r.request_id: f"{stamp(group_id, r.request_id):032x}" for r in requests},
            stage_ms={"encode": 1.0},
            public_tokens=first_public,
            private_tokens=2 * len(requests),
            merged_tokens=0,
        )


class StandInRequestPipeline:
    """Says what it found. `spoil` may raise for a request, as a real stage might."""

    def __init__(self, spoil: Callable[[SideInfo], None] = lambda _: None) -> None:
        self._spoil = spoil

    combines = False

    def quality(self, copies: Sequence[SymbolFrame], air: Air) -> float:
        raise AssertionError("the first copy is all that counts")

    def open_side(self, side: SideInfo, air: Air) -> SideInfo | None:
        return side

    def run(self, side: SideInfo, copies: Frames, air: Air) -> Decoded:
        self._spoil(side)
        frames = {number: of_frame[0] for number, of_frame in copies.items()}
        shared_image = any(private == 0 for _, private, _, _ in side.frames)
        public, private = _samples(frames, "public"), _samples(frames, "private")
        words = {private[i] for i in (0, 1) if i in private}
        image = set(public.values()) if shared_image else {v for i, v in private.items() if i >= 2}
        found = len(public) + len(private)
        lost = sum(n for _, _, _, n in side.frames) - found
        return Decoded(
            status="degraded" if lost else "ok",
            reason=f"{lost} tokens lost" if lost else "",
            text=f"{side.user}:{_only(words)}:{_only(image)}",
            token_ids=(1, 2),
            control_text=None,
            erased_tokens=lost,
            digest=f"{stamp(side.group_id, side.request_id):032x}",
            stage_ms={"decode": 1.0},
        )


def _only(values: set[int]) -> str:
    return "+".join(map(str, sorted(values))) or "?"


def _samples(frames: Mapping[int, SymbolFrame], stream: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for frame in frames.values():
        if frame.stream == stream:
            values = np.frombuffer(frame.payload, "<c8").real
            found.update({frame.first_token + i: int(v) for i, v in enumerate(values)})
    return found


def _side(group_id: int, r: AdmittedRequest, named: list[tuple[int, int, int, int]]) -> SideInfo:
    return SideInfo(
        user=r.user,
        request_id=r.request_id,
        group_id=group_id,
        attempt=0,
        first_use=0,
        uses=60,
        energy=60.0,
        deadline_ms=0,
        frames=tuple(named),
        payload=b"index map",
    )


def _frames(
    group_id: int, stream: str, users: tuple[int, ...], first: int, values: list[int], first_id: int
) -> list[SymbolFrame]:
    out = []
    for start in range(0, len(values), TOKENS_PER_FRAME):
        part = np.array(values[start : start + TOKENS_PER_FRAME], "<c8")
        out.append(
            SymbolFrame(
                stream=stream,
                users=users,
                group_id=group_id,
                frame_id=first_id + len(out),
                attempt=0,
                first_token=first + start,
                n_tokens=len(part),
                uses_per_token=1,
                pilot_uses=0,
                first_use=0,
                uses=len(part),
                energy=float(len(part)),
                sample_format="cf32",
                full_scale=1.0,
                payload=part.tobytes(),
            )
        )
    return out
