"""The benches by name, in the order in which they run and are shown."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Final, cast

from launch.bench.line import Line
from launch.bench.order import Order
from launch.errors import Interrupted, LaunchError

BENCHES: Final = {
    "launching": "launch to ready and to the first answer",
    "request": "what a request takes beyond computing",
    "overhead": "bytes of a request beyond its payload",
    "memory": "memory of every role",
    "emulator": "the emulator's role object beside its noise generator and Sionna's AWGN block",
    "gnuradio": "the emulator's role object beside GNU Radio's channel model, where that is installed",
    "page": "what the dashboard costs a run of 16 UEs at full rate",
    "sockets": "the emulator's process beside a noise-free forwarder of the same frames",
    "decode": "a UE's decoding beside `generate` of transformers",
    "encode": "the base station's encoding beside one forward per user",
    "comparator": "finding similar tokens of many users beside comparing all pairs",
    "maps": "index maps",
    "wire": "the codec of messages",
}
"""Name -> what it measures; each is a module of this package with a function `bench`."""


def chosen(names: Sequence[str]) -> list[str]:
    """These, or all, each once. Raises `LaunchError` for one that does not exist."""
    for name in names:
        if name not in BENCHES:
            near = get_close_matches(name, BENCHES, 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise LaunchError(f"bench {name}: no such bench{hint} (there are {', '.join(BENCHES)})")
    return [name for name in BENCHES if name in names or not names]


def run_all(names: Sequence[str], order: Order) -> tuple[list[Line], list[str]]:
    """The lines of all these benches, and the names of those that could not be run, which cost no other's
    lines. Raises `Interrupted`.
    """
    import torch

    torch.set_num_threads(1)  # as a UE does; so a figure and its reference have one core each
    lines: list[Line] = []
    failed: list[str] = []
    for name in names:
        order.say(f"{name}: {BENCHES[name]}")
        bench = cast(Callable[[Order], list[Line]], import_module(f"launch.bench.{name}").bench)
        try:
            lines += bench(order)
        except Interrupted:
            raise
        except LaunchError as error:
            order.say(f"{name}: not measured: {error}")
            failed.append(name)
    return lines, failed
