"""Patterns come back, cost little where an image repeats itself, and nothing else is taken for one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bits import BitError, BitReader, BitWriter
from shared.token_pattern import PatternError, Token, _coded, put_pattern, take_pattern

N = 64


def written(tokens: list[Token], places: list[int]) -> BitWriter:
    out = BitWriter()
    put_pattern(out, tokens, places, N)
    return out


@st.composite
def patterns(draw: st.DrawFn) -> tuple[list[Token], list[int]]:
    """Private tokens in the order of their first uses, public ones of a few numbers, at some places."""
    places = sorted(draw(st.sets(st.integers(0, N - 1), min_size=1)))
    first = draw(st.integers(0, 3_000))
    public = [first + far for far in draw(st.lists(st.integers(0, 255), min_size=1, max_size=20))]
    tokens: list[Token] = []
    private = 0
    for _ in places:
        number = draw(st.integers(-len(public), private))
        private = max(private, number + 1)
        tokens.append((True, public[-number - 1]) if number < 0 else (False, number))
    return tokens, places


@given(patterns(), st.binary(max_size=8))
def test_a_pattern_is_read_back_and_what_follows_it_is_left(
    original: tuple[list[Token], list[int]], rest: bytes
) -> None:
    tokens, places = original
    out = written(tokens, places)
    n_bits = out.n_bits
    for byte in rest:
        out.put(byte, 8)
    reader = BitReader(out.to_bytes())
    assert take_pattern(reader, places, N) == tokens
    assert reader.position == n_bits
    assert [reader.take(8) for _ in rest] == list(rest)


@given(st.binary(max_size=60), st.sets(st.integers(0, N - 1), min_size=1))
def test_arbitrary_bits_are_a_pattern_in_its_own_code_or_an_error(data: bytes, chosen: set[int]) -> None:
    places, reader = sorted(chosen), BitReader(data)
    try:
        tokens = take_pattern(reader, places, N)
    except (PatternError, BitError):
        return
    assert len(tokens) == len(places)
    again = written(tokens, places)
    assert again.to_bytes() == reader.prefix(reader.position)


def test_a_background_with_things_on_it_costs_some_bits_a_thing() -> None:
    """One token for 58 of 64 places, six that are used once: which six, C(64, 6), is 26.2 bits."""
    things = (9, 21, 27, 38, 50, 60)
    numbers = iter(range(1, 7))
    tokens = [(False, next(numbers) if place in things else 0) for place in range(N)]
    assert 26 < written(tokens, list(range(N))).n_bits < 60


def test_regions_are_followed_row_by_row() -> None:
    """An upper and a lower half: hardly more than one of one token; scattered, each place costs a bit."""
    halves = [(False, int(place >= 32)) for place in range(N)]
    one = [(False, 0)] * N
    scattered = [(False, int(v)) for v in np.random.default_rng(0).integers(0, 2, N)]
    scattered[0] = (False, 0)
    lengths = [written(tokens, list(range(N))).n_bits for tokens in (one, halves, scattered)]
    assert lengths[0] < 10
    assert lengths[1] < lengths[0] + 16
    assert lengths[2] > 55


def test_where_public_tokens_begin_is_told_once() -> None:
    near, far = ([(True, start + place % 4) for place in range(N)] for start in (0, 1_000))
    lengths = [written(tokens, list(range(N))).n_bits for tokens in (near, far)]
    assert lengths[1] - lengths[0] == 19 - 3  # gamma(1002) and gamma(2)


def test_an_image_that_is_another_one_but_for_some_places_costs_little_more_than_which() -> None:
    """Ten of 64 places have tokens of their own: which ten, C(64, 10), is 37.1 bits."""
    own = {3, 4, 11, 12, 20, 37, 38, 45, 55, 60}
    numbers = iter(range(len(own)))
    tokens = [(False, next(numbers)) if place in own else (True, place) for place in range(N)]
    assert 37 < written(tokens, list(range(N))).n_bits < 80


def test_public_tokens_that_were_passed_by_can_still_be_had() -> None:
    tokens = [(True, reference) for reference in (9, 40, 12, 11, 200)]
    out = written(tokens, [0, 5, 6, 7, 9])
    assert take_pattern(BitReader(out.to_bytes()), [0, 5, 6, 7, 9], N) == tokens


def test_public_tokens_too_far_apart_make_no_pattern() -> None:
    with pytest.raises(PatternError, match="too far apart"):
        written([(True, 0), (True, 1_000)], [0, 1])


@pytest.mark.parametrize(
    "tokens", [[(False, 1)], [(False, 0), (False, 2)], [(False, 0), (False, 2), (False, 1)]]
)
def test_private_tokens_out_of_order_make_no_pattern(tokens: list[Token]) -> None:
    with pytest.raises(PatternError, match="order of their first uses"):
        written(tokens, list(range(len(tokens))))


def test_a_first_public_token_that_no_place_uses_is_refused() -> None:
    """The code of token 1 of a stream of which 0 is never used: it would be 0 of one that begins at 1."""
    out = BitWriter()
    out.gamma(2)
    for bit in _coded(((True, 1), (False, 0)), True, (0, 1), N):
        out.put(bit, 1)
    out.put(0, 32)
    with pytest.raises(PatternError, match="first public token is used nowhere"):
        take_pattern(BitReader(out.to_bytes()), [0, 1], N)
