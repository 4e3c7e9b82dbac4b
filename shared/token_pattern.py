"""Which token each place of an image uses, where few do for many places, or most are other images' too.

Background is alike all over an image, so that a few tokens stand for most of its places; and it is alike in
all images, so that most places use the token that another image has there. Places are gone through row by
row. Each is as the one before it, or as the one above it, or uses one of the tokens met before, the latest
first, or one that no place has used yet: the next private one, or a public one. Public tokens are numbered
in the order of the places that use them, so the next one is likely the one wanted, or, after private ones,
that many further on; what is passed by can still be had. Every such decision is coded arithmetically under a
context of what came before (`arithmetic_code`), as in lossless coding of images of few colours. The lowest
public reference plus two comes first, or one if there is none, as an Elias gamma code.

Places that are not sent are not gone through; for 'above' the image is taken for a square grid.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt
from typing import Final

from shared.arithmetic_code import Coder, Decoder, Encoder
from shared.bits import BitReader, BitWriter

REMEMBERED: Final = 512
_RANKS: Final = 6
"""From here on, ranks among the tokens met before share a context."""
_SKIPPED: Final = 256
"""So many public tokens at most are passed by at a time."""

Token = tuple[bool, int]
"""(public, reference)."""


class PatternError(ValueError):
    """No pattern: what does not fit one, or the bits of none."""


def put_pattern(out: BitWriter, tokens: Sequence[Token], places: Sequence[int], image_tokens: int) -> None:
    """`tokens[i]` is used at `places[i]` of `image_tokens`, in ascending order.

    Raises `PatternError` unless private tokens are used for the first time in the order of their references,
    from 0 on, and where public ones lie too far apart.
    """
    private = list(dict.fromkeys(reference for is_public, reference in tokens if not is_public))
    if private != list(range(len(private))):
        raise PatternError("private tokens are not in the order of their first uses")
    first = _first_public(tokens)
    code = _coded(_shifted(tokens, -(first or 0)), first is not None, tuple(places), image_tokens)
    out.gamma(1 if first is None else first + 2)
    for bit in code:
        out.put(bit, 1)


def take_pattern(bits: BitReader, places: Sequence[int], image_tokens: int) -> list[Token]:
    """Inverse of `put_pattern`. Raises `PatternError` and `BitError`."""
    told = bits.gamma()
    first = None if told == 1 else told - 2
    found = _pattern(Decoder(bits.ahead()), None, first is not None, places, image_tokens)
    code = _coded(tuple(found), first is not None, tuple(places), image_tokens)
    for bit in code:  # these bits, no others
        if bits.take(1) != bit:
            raise PatternError("the pattern's code does not end where it should")
    tokens = list(_shifted(found, first or 0))
    if _first_public(tokens) != first:
        raise PatternError("the first public token is used nowhere")
    return tokens


def _first_public(tokens: Sequence[Token]) -> int | None:
    return min((reference for is_public, reference in tokens if is_public), default=None)


def _shifted(tokens: Sequence[Token], by: int) -> tuple[Token, ...]:
    """With so much added to public references: inside the code they count from the first one that is used."""
    return tuple((is_public, reference + by if is_public else reference) for is_public, reference in tokens)


@lru_cache(maxsize=REMEMBERED)
def _coded(
    tokens: tuple[Token, ...], some_public: bool, places: tuple[int, ...], image_tokens: int
) -> tuple[int, ...]:
    """Remembered, as a group's maps are priced again and again and users of one image have one pattern."""
    encoder = Encoder()
    _pattern(encoder, tokens, some_public, places, image_tokens)
    return tuple(encoder.finish())


def _pattern(
    coder: Coder,
    tokens: Sequence[Token] | None,
    some_public: bool,
    places: Sequence[int],
    image_tokens: int,
) -> list[Token]:
    """Both ways: `tokens` is what to encode, or None. Raises `PatternError` where there is no such token."""
    width = isqrt(image_tokens)
    found: list[Token] = []
    at: dict[int, Token] = {}
    met: list[Token] = []
    fresh = _Fresh(some_public)
    for index, place in enumerate(places):
        wanted = None if tokens is None else tokens[index]
        before = found[-1] if found else None
        above, corner = at.get(place - width), at.get(place - width - 1)
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
            is_fresh = None if wanted is None else wanted not in met
            if not others or coder.decide("fresh", is_fresh):
                token = fresh.take(coder, wanted)
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


class _Fresh:
    """The tokens that no place has used yet: private ones in order, public ones ahead or passed by.

    `_since` counts the private ones after the last public one: their places' public tokens are passed by.
    """

    def __init__(self, some_public: bool) -> None:
        self._some_public = some_public
        self._was_public = False
        self._private = 0
        self._ahead = 0
        self._passed: list[int] = []
        self._since = 0

    def take(self, coder: Coder, wanted: Token | None) -> Token:
        """One of them. Raises `PatternError` where none is within reach."""
        is_public = None if wanted is None else wanted[0]
        if self._some_public:
            self._was_public = coder.decide(("public", self._was_public), is_public)
        if self._was_public:
            reference = self._public(coder, None if wanted is None else wanted[1])
            self._since = 0
            return True, reference
        self._private += 1
        self._since += 1
        return False, self._private - 1

    def _public(self, coder: Coder, wanted: int | None) -> int:
        behind = None if wanted is None else wanted < self._ahead
        if self._passed and coder.decide("behind", behind):
            for rank, reference in enumerate(self._passed):
                is_last = rank == len(self._passed) - 1
                same = None if wanted is None else reference == wanted
                if is_last or coder.decide(("passed", min(rank, _RANKS)), same):
                    return self._passed.pop(rank)
        for skipped in range(_SKIPPED):
            reference = self._ahead
            self._ahead += 1
            same = None if wanted is None else reference == wanted
            if coder.decide(("ahead", skipped == self._since, skipped > self._since), same):
                return reference
            self._passed.insert(0, reference)
        raise PatternError("public tokens too far apart")


def _ranked(coder: Coder, others: Sequence[Token], wanted: Token | None) -> Token:
    """One of `others`, which is not empty: passed by, one after the other, until it is met."""
    for rank, token in enumerate(others[:-1]):
        if coder.decide(("rank", min(rank, _RANKS)), _same(wanted, token)):
            return token
    return others[-1]


def _same(wanted: Token | None, token: Token) -> bool | None:
    return None if wanted is None else wanted == token
