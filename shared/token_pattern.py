"""Which of few tokens each place of an image uses: the part of an index map for images with repetitions.

Background is alike all over an image, so that a few tokens stand for most of its places. Places are gone
through row by row; each is as the one before it, or as the one above it, or uses the next private token that
no place has used yet, or one of the tokens met before, the latest first, or a public one not met yet, in
their order. Every such decision is coded arithmetically under a context of what the neighbours do
(`arithmetic_code`), as in lossless coding of images of few colours. The public tokens are listed first, in
runs (Elias gamma codes).

Places that are not sent are not gone through; for 'above' the image is taken for a square grid.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import isqrt
from typing import Final

from shared.arithmetic_code import Coder, Decoder, Encoder
from shared.bits import BitReader, BitWriter

REMEMBERED: Final = 512
_RANKS: Final = 6
"""From here on, ranks among the tokens met before share a context."""

Token = tuple[bool, int]
"""(public, reference)."""


class PatternError(ValueError):
    """No pattern: what does not fit one, or the bits of none."""


def put_pattern(out: BitWriter, tokens: Sequence[Token], places: Sequence[int], image_tokens: int) -> None:
    """`tokens[i]` is used at `places[i]` of `image_tokens`, in ascending order.

    Raises `PatternError` unless private tokens are used for the first time in the order of their references,
    from 0 on.
    """
    public = sorted({reference for is_public, reference in tokens if is_public})
    private = list(dict.fromkeys(reference for is_public, reference in tokens if not is_public))
    if private != list(range(len(private))):
        raise PatternError("private tokens are not in the order of their first uses")
    _put_references(out, public)
    for bit in _coded(tuple(tokens), tuple(public), tuple(places), image_tokens):
        out.put(bit, 1)


def take_pattern(bits: BitReader, places: Sequence[int], image_tokens: int) -> list[Token]:
    """Inverse of `put_pattern`. Raises `PatternError` and `BitError`."""
    public = _take_references(bits, len(places))
    tokens = _pattern(Decoder(bits.ahead()), None, public, places, image_tokens)
    if {reference for is_public, reference in tokens if is_public} != set(public):
        raise PatternError("a public token is listed, and used nowhere")
    for bit in _coded(tuple(tokens), tuple(public), tuple(places), image_tokens):  # these bits, no others
        if bits.take(1) != bit:
            raise PatternError("the pattern's code does not end where it should")
    return tokens


@lru_cache(maxsize=REMEMBERED)
def _coded(
    tokens: tuple[Token, ...], public: tuple[int, ...], places: tuple[int, ...], image_tokens: int
) -> tuple[int, ...]:
    """Remembered, as a group's maps are priced again and again and users of one image have one pattern."""
    encoder = Encoder()
    _pattern(encoder, tokens, public, places, image_tokens)
    return tuple(encoder.finish())


def _pattern(
    coder: Coder,
    tokens: Sequence[Token] | None,
    public: Sequence[int],
    places: Sequence[int],
    image_tokens: int,
) -> list[Token]:
    """Both ways: `tokens` is what to encode, or None. Raises `PatternError` where no token is left."""
    width = isqrt(image_tokens)
    found: list[Token] = []
    at: dict[int, Token] = {}
    met: list[Token] = [(True, reference) for reference in public]
    unused = 0
    for index, place in enumerate(places):
        wanted = None if tokens is None else tokens[index]
        before = found[-1] if found else None
        above, corner = at.get(place - width), at.get(place - width - 1)
        token: Token | None = None
        if before is not None and coder.decide(
            ("before", before == above, above == corner), _same(wanted, before)
        ):
            token = before
        elif (
            above is not None
            and above != before
            and coder.decide(("above", before == corner), _same(wanted, above))
        ):
            token = above
        else:
            others = [each for each in met if each not in (before, above)]
            fresh = (False, unused)
            if not others or coder.decide("fresh", _same(wanted, fresh)):
                token = fresh
                unused += 1
            else:
                token = _ranked(coder, others, wanted)
        if wanted is not None and token != wanted:
            raise PatternError(f"place {place} uses a token that there is not")
        if token in met:
            met.remove(token)
        met.insert(0, token)
        at[place] = token
        found.append(token)
    return found


def _ranked(coder: Coder, others: Sequence[Token], wanted: Token | None) -> Token:
    """One of `others`, which is not empty: passed by, one after the other, until it is met."""
    for rank, token in enumerate(others[:-1]):
        if coder.decide(("rank", min(rank, _RANKS)), _same(wanted, token)):
            return token
    return others[-1]


def _same(wanted: Token | None, token: Token) -> bool | None:
    return None if wanted is None else wanted == token


def _put_references(out: BitWriter, references: Sequence[int]) -> None:
    """In ascending order, in runs of consecutive ones."""
    out.gamma(len(references) + 1)
    following = 0
    for start, length in _runs(references):
        out.gamma(start - following + 1)
        out.gamma(length)
        following = start + length


def _take_references(bits: BitReader, most: int) -> list[int]:
    """At most `most`, in ascending order. Raises `PatternError` and `BitError`."""
    count = bits.gamma() - 1
    if count > most:
        raise PatternError(f"{count} public tokens for {most} places")
    references: list[int] = []
    following = 0
    while len(references) < count:
        start, length = following + bits.gamma() - 1, bits.gamma()
        if length > count - len(references) or (references and start == following):
            raise PatternError("the list of public tokens does not fit together")
        references += range(start, start + length)
        following = start + length
    return references


def _runs(references: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(first, length) of runs of consecutive ones."""
    begin = 0
    for end in range(1, len(references) + 1):
        if end == len(references) or references[end] != references[end - 1] + 1:
            yield references[begin], end - begin
            begin = end
