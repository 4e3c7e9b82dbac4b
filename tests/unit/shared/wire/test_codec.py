import contextlib
import json
import struct
import time
import zlib
from dataclasses import fields, replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.journal import MAX_LINE_BYTES
from shared.wire.codec import PREFIX_BYTES, REASONS, decode, encode
from shared.wire.errors import LocalProtocolError, ProtocolError
from shared.wire.fields import MAX_LIST, MAX_TEXT_CHARS, MAX_USERS
from shared.wire.messages import (
    BY_KIND,
    MAX_HEADER_BYTES,
    MAX_LATER_CHARS,
    MAX_QUESTIONS,
    MAX_TAPS,
    PROTOCOL_VERSION,
    Command,
    Done,
    Message,
    Progress,
    WorkloadDone,
)
from tests.unit.shared.samples import answer, every_message, symbol_frame

MESSAGES = every_message()


def sealed(body: bytes, magic: bytes = b"M4", version: int = PROTOCOL_VERSION, flags: int = 0) -> bytes:
    """A header made without the code under test: lead, CRC-32 of lead and body, body."""
    lead = struct.pack(">2sBBI", magic, version, flags, len(body))
    return lead + struct.pack(">I", zlib.crc32(lead + body)) + body


def reason_of(parts: list[bytes | memoryview]) -> str:
    with pytest.raises(ProtocolError) as caught:
        decode(parts)
    assert caught.value.reason in REASONS
    return caught.value.reason


def decodes_or_refuses(parts: list[bytes | memoryview]) -> Message | None:
    try:
        return decode(parts)
    except ProtocolError as error:
        if error.reason not in REASONS:
            raise AssertionError(f"an undocumented reason: {error.reason}") from error
        return None


def test_the_samples_cover_every_kind() -> None:
    assert {message.KIND for message in MESSAGES} == set(BY_KIND)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.KIND)
def test_round_trip(message: Message) -> None:
    parts = encode(message)
    assert len(parts) == (2 if hasattr(message, "payload") else 1)
    assert decode(parts) == message
    assert decode([memoryview(part) for part in parts]) == message


def test_the_layout_is_the_documented_one() -> None:
    assert encode(Command(verb="stop")) == [sealed(msgpack.packb({"k": "command", "verb": "stop"}))]


def test_the_payload_is_not_copied() -> None:
    payload = bytes(200_000)
    parts = encode(symbol_frame(payload=payload, uses=50_000))
    assert parts[1] is payload
    view = memoryview(payload)
    assert decode([parts[0], view]).payload is view  # type: ignore[attr-defined]


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_any_bytes(parts: list[bytes]) -> None:
    decodes_or_refuses(list(parts))


@given(st.binary(max_size=300))
def test_any_body_under_a_valid_checksum(body: bytes) -> None:
    decodes_or_refuses([sealed(body)])


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(MESSAGES), st.data())
def test_any_value_in_any_field(message: Message, data: st.DataObject) -> None:
    header, *payload = encode(message)
    content = msgpack.unpackb(bytes(header)[PREFIX_BYTES:], strict_map_key=False)
    name = data.draw(st.sampled_from(sorted(content)) | st.text(max_size=8))
    content[name] = data.draw(_values)
    decodes_or_refuses([sealed(msgpack.packb(content)), *payload])


@st.composite
def _messages(draw: st.DrawFn) -> Message:
    """A message of any kind, each of its fields as in a sample or anything else that the field accepts."""
    message = draw(st.sampled_from(MESSAGES))
    for item in fields(message):
        numbers = st.integers(0, 2**62) | st.floats(allow_nan=False, allow_infinity=False)
        flat = numbers | st.text(max_size=64) | st.booleans() | st.none() | st.binary(max_size=64)
        listed = st.lists(st.integers(0, 2**31 - 1) | st.tuples(st.text(), st.none() | st.text()), max_size=5)
        value = draw(flat | listed | st.dictionaries(st.text(max_size=8), numbers, max_size=3))
        with contextlib.suppress(LocalProtocolError):
            message = replace(message, **{item.name: value})
    return message


@given(_messages())
def test_any_message_is_read_back_as_it_was_written(message: Message) -> None:
    again = decode(encode(message))
    assert again == message
    assert encode(again) == encode(message)


@given(st.sampled_from(MESSAGES), st.data())
def test_a_flipped_header_bit_never_passes(message: Message, data: st.DataObject) -> None:
    header, *payload = encode(message)
    bit = data.draw(st.integers(0, 8 * len(header) - 1))
    broken = bytearray(header)
    broken[bit // 8] ^= 1 << bit % 8
    assert decodes_or_refuses([bytes(broken), *payload]) is None


@given(st.sampled_from(MESSAGES), st.data())
def test_a_truncated_header_never_passes(message: Message, data: st.DataObject) -> None:
    header, *payload = encode(message)
    cut = data.draw(st.integers(0, len(header) - 1))
    assert decodes_or_refuses([header[:cut], *payload]) is None


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "truncated"),
        (sealed(b"\x80", magic=b"M5"), "bad_magic"),
        (sealed(b"\x80", version=1), "bad_version"),
        (sealed(b"\x80", flags=1), "bad_flags"),
        (sealed(b"\x80") + b"\x00", "truncated"),
        (sealed(b"\x80")[:-1] + b"\x81", "bad_checksum"),
        (sealed(b"\x80"), "unknown_kind"),
        (sealed(b""), "bad_header"),
        (sealed(b"\x93\x01\x02\x03"), "bad_header"),
        (sealed(b"\xc1"), "bad_header"),
        (sealed(b"\x81\xa1k\xa3\xff\xfe\xfd"), "bad_header"),  # not UTF-8
        (sealed(b"\x81\x01\xa4stop"), "bad_header"),  # a key that is a number
        (sealed(b"\x81\xa1k\xd6\xff\x00\x00\x00\x00"), "bad_header"),  # an extension: a timestamp
        (sealed(b"\x81\xa1k\xc7\x00\x05"), "unknown_kind"),  # an empty extension
        (sealed(b"\xdf\xff\xff\xff\xff"), "bad_header"),  # a map of 4 G entries
        (sealed(b"\x81\xa1k\xdd\xff\xff\xff\xff"), "bad_header"),
        (sealed(b"\x81\xa1k\xdb\xff\xff\xff\xff"), "bad_header"),
        (sealed(b"\x82\xa1k\xa7command\xa1k\xa7command"), "bad_header"),  # a key twice
        (sealed(msgpack.packb({"k": "command"})), "bad_field"),
        (sealed(msgpack.packb({"k": "command", "verb": "stop", "more": 1})), "bad_field"),
        (sealed(msgpack.packb({"k": "command", "verb": "explode"})), "bad_field"),
        (sealed(msgpack.packb({"k": "workload_done", "attempted": 2**64 - 1})), "bad_field"),
        (sealed(msgpack.packb({"k": ["command"], "verb": "stop"})), "unknown_kind"),
        (bytes(PREFIX_BYTES + MAX_HEADER_BYTES + 1), "oversize"),
    ],
)
def test_reasons(header: bytes, reason: str) -> None:
    assert reason_of([header]) == reason


def test_the_number_of_parts_belongs_to_the_kind() -> None:
    frame, command = encode(symbol_frame()), encode(Command(verb="stop"))
    assert reason_of([]) == reason_of([frame[0]]) == reason_of([*command, b""]) == "bad_parts"
    assert reason_of([*frame, b""]) == "bad_parts"


@pytest.mark.parametrize("depth", [100, 511, 1_000, 100_000])
def test_deep_nesting(depth: int) -> None:
    body = b"\x82\xa1k\xa8progress\xa6values" + b"\x91" * depth + b"\x01"
    assert reason_of([sealed(body)]) in ("bad_header", "bad_field")
    pairs = {"k": "progress", "role": "ue", "user": 0}
    body = b"\x84" + msgpack.packb(pairs)[1:] + b"\xa6values" + b"\x91" * depth + b"\x01"
    assert reason_of([sealed(body)]) in ("bad_header", "bad_field")


def test_a_bomb_of_claimed_lengths_is_cheap() -> None:
    """A thousand nested lists that each claim 65,536 items: refused in no time."""
    body = b"\x81\xa1k" + b"\xdc\xff\xff" * 1_000 + bytes(66_000)
    began_s = time.perf_counter()
    assert reason_of([sealed(body)]) in ("bad_header", "unknown_kind")
    assert time.perf_counter() - began_s < 2.0


def test_the_longest_answer_fits_a_header_and_a_line_of_the_journal() -> None:
    widest = "\U0001f9ca"  # four bytes in UTF-8, twelve characters in JSON
    one = (widest * MAX_LATER_CHARS, widest * MAX_LATER_CHARS)
    said = answer(
        text=widest * MAX_TEXT_CHARS,
        control_text=widest * MAX_TEXT_CHARS,
        token_ids=(2**31 - 1,) * MAX_LIST,
        later=(one,) * (MAX_QUESTIONS - 1),
    )
    assert decode(encode(said)) == said
    line = json.dumps({"text": said.text, "control_text": said.control_text, "later": said.later})
    assert len(line) < MAX_LINE_BYTES - 10_000, "room for the event's other fields"
    for many in ((one,) * MAX_QUESTIONS, (("x" * (MAX_LATER_CHARS + 1), None),), (("x",),)):
        with pytest.raises(LocalProtocolError, match=r"answer\.later"):
            answer(later=many)


def test_a_frame_that_is_accepted_can_be_sent_on() -> None:
    """Nothing in a message takes more room when it is encoded again than there is."""
    most = tuple((1, (0,) * (2 * MAX_TAPS)) for _ in range(MAX_LIST // MAX_TAPS))
    frame = symbol_frame(users=(65_535,) * MAX_USERS, genie_blocks=most)
    assert decode(encode(frame)) == frame
    header, payload = encode(symbol_frame())
    content = msgpack.unpackb(bytes(header)[PREFIX_BYTES:])
    content["genie_blocks"] = [*most, (1, (0,))]
    with pytest.raises(ProtocolError, match="at most 8192 reals in all"):
        decode([sealed(msgpack.packb(content)), payload])


def test_what_cannot_be_packed_is_our_own_error() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be packed"):
        encode(Progress(role="ue", user=0, values={"huge": 2**70}))
    with pytest.raises(LocalProtocolError, match="cannot be packed"):
        encode(Progress(role="ue", user=0, values={"surrogate": "\ud800"}))
    with pytest.raises(LocalProtocolError, match="at most"):
        encode(Done(role="ue", user=0, verb="sample", values={str(i): "x" * 4_000 for i in range(300)}))
    assert decode(encode(WorkloadDone(attempted=0))) == WorkloadDone(attempted=0)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.KIND)
def test_a_changed_message_is_the_one_that_is_built_anew(message: Message) -> None:
    for item in fields(message):
        value = getattr(message, item.name)
        assert message.changed(**{item.name: value}) == message == replace(message, **{item.name: value})
    with pytest.raises(TypeError, match="no fields colour"):
        message.changed(colour="red")


def test_a_change_is_checked_and_leaves_the_message_as_it_was() -> None:
    message = symbol_frame()
    assert message.changed(users=(7,), full_scale=3) == replace(message, users=(7,), full_scale=3.0)
    assert message == symbol_frame()
    for wrong in ({"users": (1, "2")}, {"full_scale": -1.0}, {"payload": "text"}):
        with pytest.raises(LocalProtocolError, match=f"symbol_frame.{next(iter(wrong))}"):
            message.changed(**wrong)
    with pytest.raises(LocalProtocolError, match=r"symbol_frame.users\[1\]: expected an integer"):
        message.changed(users=(1, "2"))
