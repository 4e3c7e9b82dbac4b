"""Compare: which tokens of different requests carry the same semantics?

Exact duplicates are found by content key, never by equality of floats: an image token is named by the
image's hash, its index and the split layer; a text token, which saw the image and the words before it, by
the image's hash, the task, the text up to it and the split layer. Similar image tokens are found in the
semantic space (`similar`): of different images at one position, or anywhere.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from basestation.similar import leaders_of
from shared.config import SharingConfig
from shared.semantic_cache import KnownImage, Slot

Key = tuple[object, ...]
Names = list[list[Key | None]]
LEAST_WORTH = 0.02
"""So that every stream is heard: 17 dB below the mean."""


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """The tokens of one request at the split, with their content keys.

    `image_ND` is None for requests without an image; `selected_N` says which of its tokens are to be sent
    (None: all); `projected_ND` are the image tokens before the layers below the split, `salience_N` what each
    is worth (`selection`; None: all the same); `questions_of`, `cached` and `keep` as in `AdmittedRequest`.
    D: semantic width, N: tokens.
    """

    request_id: str
    user: int
    task: str
    image_key: str | None
    image_ND: np.ndarray | None
    text_ND: np.ndarray
    text_ids: tuple[int, ...]
    questions_of: int | None = None
    selected_N: np.ndarray | None = None
    projected_ND: np.ndarray | None = None
    salience_N: np.ndarray | None = None
    cached: KnownImage | None = None
    keep: Slot | None = None

    @property
    def image_length(self) -> int:
        return 0 if self.image_ND is None else len(self.image_ND)

    def sends(self, position: int) -> bool:
        """Whether a position's token is to be sent."""
        if position >= self.image_length:
            return True
        return self.cached is None and (self.selected_N is None or bool(self.selected_N[position]))

    def content_keys(self, split_layer: int) -> list[Key]:
        """One key for every position: image tokens, then text tokens."""
        n_image = self.image_length
        keys: list[Key] = [("image", self.image_key, i, split_layer) for i in range(n_image)]
        prefix = hashlib.blake2b(digest_size=16)
        for token_id in self.text_ids:
            prefix.update(token_id.to_bytes(4, "big"))
            keys.append(("text", self.image_key, self.task, prefix.hexdigest(), split_layer))
        return keys


@dataclass(frozen=True, slots=True)
class Comparison:
    """`keys[r][p]` names the token that request r uses at position p, None where it has none.

    `vectors` has one vector a name, `compared` the one by which an image token's likeness is judged; `worth`,
    what a token is worth against the mean of those that its request sends. `merged` counts the positions
    whose own token was replaced by a similar one.
    """

    keys: Names
    vectors: dict[Key, np.ndarray]
    compared: dict[Key, np.ndarray]
    worth: dict[Key, float]
    merged: int = 0


def compare(sequences: Sequence[TokenSequence], sharing: SharingConfig, split_layer: int) -> Comparison:
    """Name every token; equal names are sent once. With sharing off every request keeps its own."""
    keys = [_names(s, sharing, split_layer) for s in sequences]
    vectors: dict[Key, np.ndarray] = {}
    compared: dict[Key, np.ndarray] = {}
    worth: dict[Key, float] = {}
    for sequence, names in zip(sequences, keys, strict=True):
        for name, vector in zip(names, _vectors(sequence), strict=True):
            if name is not None:
                vectors.setdefault(name, vector)
        judged = sequence.image_ND if sharing.compare_at == "split" else sequence.projected_ND
        for name, vector in zip(names, [] if judged is None else judged, strict=False):
            if name is not None:
                compared.setdefault(name, vector)
        for name, value in zip(names, _worth(sequence), strict=True):
            if name is not None:
                worth.setdefault(name, value)
    return Comparison(keys, vectors, compared, worth)


def merged(
    comparison: Comparison,
    leaders: Mapping[Key, Key],
    shortest_run: int = 1,
    joining: Sequence[bool] | None = None,
) -> Comparison:
    """With similar tokens in place of others, where at least so many neighbours join one leader's image.

    A run of places next to each other costs the index map little, one here and there much. `joining[r]`:
    whether request r takes part; None: all do.
    """
    found: Names = []
    count = 0
    for request, names in enumerate(comparison.keys):
        chosen = list(names)
        takes_part = joining is None or joining[request]
        for run in _runs(names, leaders) if takes_part else ():
            if len(run) >= shortest_run:
                count += len(run)
                for position in run:
                    chosen[position] = leaders[names[position]]  # type: ignore[index]  # runs have names
        found.append(chosen)
    return replace(comparison, keys=found, merged=count)


def _runs(names: Sequence[Key | None], leaders: Mapping[Key, Key]) -> list[list[int]]:
    """Positions that are led, in runs of one leader's image; what is not sent interrupts none."""
    runs: list[list[int]] = []
    last: object = None
    for position, name in enumerate(names):
        if name is None:
            continue
        leader = leaders.get(name)
        image = None if leader is None else leader[1]
        if leader is not None:
            if image == last and runs:
                runs[-1].append(position)
            else:
                runs.append([position])
        last = image
    return runs


def leaders_anywhere(comparison: Comparison, sharing: SharingConfig) -> dict[Key, Key]:
    """Image token -> the similar one that stands in for it, whatever image and position it is of."""
    uses = _image_uses(comparison)
    return _leaders(comparison, sharing, list(uses), uses)


def leaders_in_place(comparison: Comparison, sharing: SharingConfig) -> dict[Key, Key]:
    """The same, among tokens of one position only."""
    return _leaders_by(comparison, sharing, lambda name: name[2])


def leaders_within_image(comparison: Comparison, sharing: SharingConfig) -> dict[Key, Key]:
    """The same, among tokens of one image only."""
    return _leaders_by(comparison, sharing, lambda name: name[1])


def _leaders_by(
    comparison: Comparison, sharing: SharingConfig, part: Callable[[Key], object]
) -> dict[Key, Key]:
    """Each part's own."""
    parts: dict[object, list[Key]] = {}
    uses = _image_uses(comparison)
    for name in uses:
        parts.setdefault(part(name), []).append(name)
    found: dict[Key, Key] = {}
    for names in parts.values():
        found |= _leaders(comparison, sharing, names, uses)
    return found


def _leaders(
    comparison: Comparison, sharing: SharingConfig, names: Sequence[Key], uses: Mapping[Key, int]
) -> dict[Key, Key]:
    if len(names) < 2:
        return {}
    vectors_MD = np.stack([comparison.compared[name] for name in names]).astype(np.float32)
    leader_M = leaders_of(vectors_MD, np.array([uses[name] for name in names]), sharing)
    return {names[i]: names[leader] for i, leader in enumerate(leader_M.tolist()) if leader != i}


def _image_uses(comparison: Comparison) -> Counter[Key]:
    """Image tokens that are sent, with the number of requests that use each."""
    return Counter(
        name
        for names in comparison.keys
        for name in dict.fromkeys(names)
        if name is not None and name[0] == "image"
    )


def _names(sequence: TokenSequence, sharing: SharingConfig, split_layer: int) -> list[Key | None]:
    """What each position's own token is called; None where none is sent."""
    keys = sequence.content_keys(split_layer)
    if not sharing.enabled:
        keys = [("own", sequence.request_id, p) for p in range(len(keys))]
    return [key if sequence.sends(p) else None for p, key in enumerate(keys)]


def _vectors(sequence: TokenSequence) -> list[np.ndarray]:
    image = [] if sequence.image_ND is None else list(sequence.image_ND)
    return image + list(sequence.text_ND)


def _worth(sequence: TokenSequence) -> list[float]:
    """Of every position, 1 on average over the image tokens that are sent; of a text token 1."""
    of_text = [1.0] * len(sequence.text_ids)
    sent = [sequence.sends(position) for position in range(sequence.image_length)]
    if sequence.salience_N is None or not any(sent):
        return [1.0] * len(sent) + of_text
    mean = float(sequence.salience_N[sent].mean())
    if mean <= 0.0:
        return [1.0] * len(sent) + of_text
    return [max(LEAST_WORTH, float(value) / mean) for value in sequence.salience_N] + of_text
