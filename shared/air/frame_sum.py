"""Several public frames in one transmission: their symbols added up.

Each of its receivers lacks one of the frames and has the others, which it takes away again: what one user
lacks is side information at another (index coding: Bar-Yossef et al., IEEE Trans. Inf. Theory 57(3), 2011;
over symbols instead of bits, analog network coding: Katti, Gollakota and Katabi 2007). Of K frames x_k a
symbol is

    s = (sum_k t_k x_k) / sqrt(K),  |t_k| = 1.

Received as s + n, Var n = v, with the others known as x_k + n_k, Var n_k = v_k, the one that is lacking comes
out with noise of variance K v + sum_k v_k: where all are received alike, 2 K - 1 times that of a frame by
itself. SNR is average received Es/N0.

The turns t_k are such that what all symbols have in common adds no power: for a common mean m the sum has
|m|^2 |sum_k t_k|^2 / K = |m|^2. A frame that is shorter than the longest adds nothing beyond its end.

Shapes: U channel uses of the longest frame, V <= U those of another.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.wire.messages import SymbolFrame

TURNS: Final = (1.0 + 0.0j, 1.0j, complex(-math.sqrt(0.5), math.sqrt(0.5)))
"""Of the first, second and third frame: sum_{i<k} Re(conj(t_i) t_k) = 0 for two of them and for three."""
MOST_FRAMES: Final = len(TURNS)

Named = tuple[int, int, int, int]
"""(frame_id, stream 0 public / 1 private, first token, tokens), as side information names a frame."""


def named_frames(frame: SymbolFrame) -> list[Named]:
    """Which frames a transmission carries: itself, and those added to it."""
    stream = int(frame.stream == "private")
    own = (frame.frame_id, stream, frame.first_token, frame.n_tokens)
    return [own, *((frame_id, stream, first, tokens) for frame_id, first, tokens in frame.added)]


def add(bodies: Sequence[np.ndarray]) -> np.ndarray:
    """Symbols complex64, the longest frame's [U] first, others' [V], to those that are sent [U]."""
    total_U = np.zeros(len(bodies[0]), np.complex128)
    for turn, body_V in zip(TURNS[: len(bodies)], bodies, strict=True):
        total_U[: len(body_V)] += turn * body_V
    return (total_U / math.sqrt(len(bodies))).astype(np.complex64)


def take_apart(
    sum_U: np.ndarray, noise_U: np.ndarray, known: Sequence[tuple[np.ndarray, np.ndarray] | None]
) -> tuple[np.ndarray, np.ndarray]:
    """The one frame that is not `known`: symbols complex64 [U], noise variances float32 [U].

    `sum_U` and `noise_U` are the equalised transmission; `known` has symbols and noise variances [V] of every
    frame in it, in order, and None for the one that is wanted.
    """
    wanted = next(place for place, found in enumerate(known) if found is None)
    rest_U = math.sqrt(len(known)) * sum_U.astype(np.complex128)
    left_U = len(known) * noise_U.astype(np.float64)
    for turn, found in zip(TURNS[: len(known)], known, strict=True):
        if found is not None:
            symbols_V, noise_V = found
            rest_U[: len(symbols_V)] -= turn * symbols_V
            left_U[: len(noise_V)] += noise_V
    return (np.conj(TURNS[wanted]) * rest_U).astype(np.complex64), left_U.astype(np.float32)
