"""Messages encoded and decoded, beside bare msgpack of the same fields, which checks nothing of them."""

from dataclasses import dataclass, fields

import msgpack

from launch.bench.emulator import frame_for
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.timing import cost_line, interleaved
from shared.wire.codec import decode, encode
from shared.wire.messages import Answer, Message


@dataclass(frozen=True, slots=True)
class Sizes:
    least_s: float = 0.02


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Microseconds a message, there and back; bytes of its header."""
    answer = Answer(
        user=0, incarnation=0, request_id="r000000", attempt=0, status="ok", reason="", text="purple",
        token_ids=(8126, 8130, 1701), control_text=None, erased_tokens=0, digest="0" * 32,
        stage_ms={"equalise": 0.5, "reassemble": 0.2, "channel_decode": 1.7, "decode": 31.0},
    )  # fmt: skip
    lines = []
    for name, what, message in (
        ("frame", "a symbol frame for one user", frame_for(1, 224, order.seed)),
        ("public", "a symbol frame for 64 users", frame_for(64, 224, order.seed)),
        ("answer", "an answer", answer),
    ):
        content = _header_of(message)

        def own(message: Message = message) -> Message:
            return decode(encode(message))

        def reference(content: dict[str, object] = content) -> object:
            return msgpack.unpackb(msgpack.packb(content))

        if own() != message:
            raise RuntimeError(f"wire: {message.KIND} read back as another")
        seconds = interleaved({"own": own, "msgpack": reference}, order.rounds, least_s=sizes.least_s)
        microseconds = {who: [1e6 * s for s in times] for who, times in seconds.items()}
        lines.append(
            cost_line(
                f"wire.{name}",
                f"codec, {what}: encoded and decoded",
                "µs",
                microseconds["own"],
                "msgpack, unchecked",
                microseconds["msgpack"],
            )
        )
    return lines


def _header_of(message: Message) -> dict[str, object]:
    return {f.name: getattr(message, f.name) for f in fields(message) if not f.metadata.get("payload")}
