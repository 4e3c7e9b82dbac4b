"""Index maps written and read, beside msgpack of the same positions: no bits packed, nothing checked."""

from dataclasses import dataclass

import msgpack

from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.timing import cost_line, interleaved
from shared import index_map
from shared.index_map import IndexMap
from shared.token_runs import TokenState, runs_of

IMAGE_TOKENS = 100
TEXT_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Sizes:
    least_s: float = 0.02


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Microseconds a map, there and back, and its bytes; of an image that is shared, and one in pieces."""
    lines = []
    for name, what, image in (
        ("shared", "an image that all users share", [(TokenState.PUBLIC, i) for i in range(IMAGE_TOKENS)]),
        ("pieces", "an image half merged, token by token", _pieces()),
    ):
        text = [(TokenState.PRIVATE, i) for i in range(TEXT_TOKENS)]
        packed_map = IndexMap("vqa", True, False, TEXT_TOKENS, (64, 64), runs_of(image + text))
        plain = [(int(state), place) for state, place in packed_map.positions()]

        def own(packed_map: IndexMap = packed_map) -> IndexMap:
            return index_map.decode(index_map.encode(packed_map)[0], IMAGE_TOKENS)

        def reference(plain: list[tuple[int, int]] = plain) -> object:
            return msgpack.unpackb(msgpack.packb(plain))

        if own().positions() != packed_map.positions():
            raise RuntimeError("index map: read back as another")
        seconds = interleaved({"own": own, "msgpack": reference}, order.rounds, least_s=sizes.least_s)
        microseconds = {who: [1e6 * s for s in times] for who, times in seconds.items()}
        lines.append(
            cost_line(
                f"maps.{name}",
                f"index map, {what}: written and read",
                "µs",
                microseconds["own"],
                "msgpack of the positions",
                microseconds["msgpack"],
            )
        )
        lines.append(
            cost_line(
                f"maps.{name}.bytes",
                f"index map, {what}: size",
                "bytes",
                [len(index_map.encode(packed_map)[0])],
                "msgpack of the positions",
                [len(msgpack.packb(plain))],
            )
        )
    return lines


def _pieces() -> list[tuple[TokenState, int]]:
    """Every other token is public, the others are private."""
    return [
        (TokenState.PUBLIC if place % 2 else TokenState.PRIVATE, TEXT_TOKENS * (1 - place % 2) + place // 2)
        for place in range(IMAGE_TOKENS)
    ]
