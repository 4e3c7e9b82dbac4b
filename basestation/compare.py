"""Compare: which tokens of different requests carry the same semantics?

Exact duplicates are found by content key, never by equality of floats: an image token is named by the
image's hash, its index and the split layer; a text token, which saw the image and the words before it, by
the image's hash, the task, the text up to it and the split layer. Similar image tokens are found in the
semantic space, position by position: cosine similarity, and the mean and the variance of the two vectors,
against thresholds (M4SC, section on semantic sharing).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.config import SharingConfig

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """The tokens of one request at the split, with their content keys.

    `image_ND` is None for requests without an image; `selected_N` says which of its tokens are to be sent
    (None: all); `questions_of` as in `AdmittedRequest`. D: semantic width, N: tokens.
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

    @property
    def image_length(self) -> int:
        return 0 if self.image_ND is None else len(self.image_ND)

    def sends(self, position: int) -> bool:
        """Whether a position's token is to be sent."""
        return position >= self.image_length or self.selected_N is None or bool(self.selected_N[position])

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

    `vectors` has one vector a name.

    `merged` counts the positions whose own token was replaced by a similar one.
    """

    keys: list[list[Key | None]]
    vectors: dict[Key, np.ndarray]
    merged: int


def compare(sequences: Sequence[TokenSequence], sharing: SharingConfig, split_layer: int) -> Comparison:
    """Name every token; equal names are sent once. With sharing off every request keeps its own."""
    keys = [_names(s, sharing, split_layer) for s in sequences]
    vectors: dict[Key, np.ndarray] = {}
    for sequence, names in zip(sequences, keys, strict=True):
        for name, vector in zip(names, _vectors(sequence), strict=True):
            if name is not None:
                vectors.setdefault(name, vector)
    merged = 0
    if sharing.enabled:
        leaders = _similar_image_tokens(sequences, sharing, split_layer)
        for names in keys:
            for position, name in enumerate(names):
                leader = None if name is None else leaders.get(name)
                if leader is not None:
                    names[position] = leader
                    merged += 1
    return Comparison(keys, vectors, merged)


def _names(sequence: TokenSequence, sharing: SharingConfig, split_layer: int) -> list[Key | None]:
    """What each position's own token is called; None where none is sent."""
    keys = sequence.content_keys(split_layer)
    if not sharing.enabled:
        keys = [("own", sequence.request_id, p) for p in range(len(keys))]
    return [key if sequence.sends(p) else None for p, key in enumerate(keys)]


def _vectors(sequence: TokenSequence) -> list[np.ndarray]:
    image = [] if sequence.image_ND is None else list(sequence.image_ND)
    return image + list(sequence.text_ND)


def _similar_image_tokens(
    sequences: Sequence[TokenSequence], sharing: SharingConfig, split_layer: int
) -> dict[Key, Key]:
    """Token name -> name of the similar token that replaces it, position by position across images.

    Only among tokens that are sent: one that is not saves nothing.

    Greedy: images in order of their first request; a token joins the first leader it resembles, and a
    leader is never itself replaced, so no chain of small steps adds up to a large one.
    """
    images: dict[str, TokenSequence] = {}
    for s in sequences:
        if s.image_key is not None:
            images.setdefault(s.image_key, s)
    if len(images) < 2:
        return {}
    names = list(images)
    tokens_PMD = np.stack([s.image_ND for s in images.values() if s.image_ND is not None], axis=1).astype(
        np.float32
    )
    similar_PMM = similar(tokens_PMD, sharing)
    leaders: dict[Key, Key] = {}
    for position, similar_MM in enumerate(similar_PMM):
        heads: list[int] = []
        for image, name in enumerate(names):
            if not images[name].sends(position):
                continue
            head = next((h for h in heads if similar_MM[h, image]), None)
            if head is None:
                heads.append(image)
            else:
                own: Key = ("image", name, position, split_layer)
                leaders[own] = ("image", names[head], position, split_layer)
    return leaders


def similar(tokens_PMD: np.ndarray, sharing: SharingConfig) -> np.ndarray:
    """Which of the M vectors at each position P pass all three tests: bool [P, M, M].

    Means are compared relative to the standard deviation, variances relative to the larger one, so that
    the thresholds have no unit.
    """
    norm_PM1 = np.linalg.norm(tokens_PMD, axis=-1, keepdims=True)
    unit_PMD = tokens_PMD / np.maximum(norm_PM1, 1e-12)
    cosine_PMM = unit_PMD @ unit_PMD.transpose(0, 2, 1)
    mean_PM, variance_PM = tokens_PMD.mean(-1), tokens_PMD.var(-1)
    larger_PMM = np.maximum(variance_PM[:, :, None], variance_PM[:, None, :]) + 1e-12
    mean_gap_PMM = np.abs(mean_PM[:, :, None] - mean_PM[:, None, :]) / np.sqrt(larger_PMM)
    variance_gap_PMM = np.abs(variance_PM[:, :, None] - variance_PM[:, None, :]) / larger_PMM
    result: np.ndarray = (
        (cosine_PMM >= sharing.cosine_threshold)
        & (mean_gap_PMM <= sharing.mean_threshold)
        & (variance_gap_PMM <= sharing.variance_threshold)
    )
    return result
