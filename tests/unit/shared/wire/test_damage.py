"""Damaged headers: what leaves has the same sizes and is found by every receiver."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.link_types import encoded, wire_bytes_of
from shared.wire.codec import PREFIX_BYTES, REASONS, decode, encode
from shared.wire.damage import HeaderErrors, inverted, with_header_errors
from shared.wire.errors import ProtocolError
from shared.wire.messages import Message
from tests.unit.shared.samples import every_message, symbol_frame

CRC_32 = 0x104C11DB7
"""Its generator polynomial, x^32 first (IEEE 802.3)."""


@given(message=st.sampled_from(every_message()), bits=st.integers(1, 64), seed=st.integers(0, 2**128 - 1))
def test_no_receiver_can_read_a_damaged_header(message: Message, bits: int, seed: int) -> None:
    whole = [bytes(part) for part in encode(message)]
    damaged = with_header_errors(whole, HeaderErrors(bits, seed))
    wrong = int.from_bytes(damaged[0]) ^ int.from_bytes(whole[0])
    assert wrong.bit_count() == min(bits, 8 * len(whole[0]))
    assert damaged[1:] == whole[1:]
    assert wire_bytes_of(damaged) == wire_bytes_of(list(whole))
    with pytest.raises(ProtocolError) as found:
        decode(damaged)
    assert found.value.reason in REASONS
    assert with_header_errors(whole, HeaderErrors(bits, seed)) == damaged


def test_the_payload_is_not_copied_and_the_seed_says_which_bits() -> None:
    message = symbol_frame()
    first, again, other = (encoded(message, HeaderErrors(1, seed)) for seed in (1, 1, 2))
    assert first.parts[1] is message.payload
    assert first.parts == again.parts != other.parts
    assert first.damaged
    assert not encoded(message).damaged


def test_errors_that_the_checksum_cannot_see_are_seen_all_the_same() -> None:
    """A multiple of the generator polynomial, laid over the body, leaves its checksum right."""
    header = bytes(encode(symbol_frame())[0])
    powers = [32 - power for power in range(33) if CRC_32 >> power & 1]
    unseen = [8 * PREFIX_BYTES + 40 + place for place in powers]
    damaged = bytearray(header)
    for place in unseen:
        damaged[place // 8] ^= 1 << place % 8
    with pytest.raises(ProtocolError) as found:  # garbage whose checksum is right
        decode([bytes(damaged), b""])
    assert found.value.reason not in ("bad_checksum", "bad_magic")
    assert inverted(header, unseen) != bytes(damaged)
    with pytest.raises(ProtocolError, match="bad_magic"):
        decode([inverted(header, unseen), b""])
