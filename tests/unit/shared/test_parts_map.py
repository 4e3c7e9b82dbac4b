"""The side information of schemes that send bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import parts_map
from shared.parts_map import MAX_LENGTH, Part, PartsMap, PartsMapError
from shared.wire.messages import TASKS

PARTS = st.none() | st.builds(Part, st.booleans(), st.integers(1, MAX_LENGTH))


@given(st.builds(PartsMap, st.sampled_from(TASKS), st.booleans(), PARTS, PARTS))
def test_a_map_comes_back_and_its_length_is_as_said(sent: PartsMap) -> None:
    payload, n_bits = parts_map.encode(sent)
    assert len(payload) == -(-n_bits // 8)
    assert parts_map.decode(payload) == sent
    assert parts_map.decode(payload + bytes(8)) == sent, "zeros fill the block of a code"


def test_a_picture_and_a_question_take_51_bits() -> None:
    _, n_bits = parts_map.encode(PartsMap("vqa", False, Part(False, 600), Part(True, 20)))
    assert n_bits == 3 + (2 + 19) + (2 + 9) + 16


@given(st.integers(0, 50))
def test_every_single_wrong_bit_shows(place: int) -> None:
    payload, n_bits = parts_map.encode(PartsMap("vqa", False, Part(False, 600), Part(True, 20)))
    assert n_bits == 51
    wrong = bytearray(payload)
    wrong[place // 8] ^= 0x80 >> place % 8
    with pytest.raises(PartsMapError):
        parts_map.decode(bytes(wrong))


@settings(derandomize=True)  # one draw of 65,536 would pass
@given(st.binary(max_size=40))
def test_noise_is_no_map(data: bytes) -> None:
    try:
        parts_map.decode(data)
    except PartsMapError:
        return
    raise AssertionError("a CRC of 16 bits let noise pass")


def test_parts_that_are_too_long_or_empty_are_refused() -> None:
    for n_bytes in (0, MAX_LENGTH + 1):
        with pytest.raises(PartsMapError, match="expected 1 to"):
            parts_map.encode(PartsMap("vqa", content=Part(True, n_bytes)))
