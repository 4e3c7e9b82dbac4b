"""The emulator's role object beside GNU Radio's `channels.channel_model`, where that is installed.

Debian's package belongs to the system's Python, so it runs there, in a process of its own; $M4SC_GNURADIO
names another Python that has it. Its model takes its noise from a pool that it filled before, and adds a
frequency offset, timing and taps of which nothing is asked here.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Final

from launch.bench.emulator import N0, UNIT, emulate
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.timing import interleaved, rate_line
from launch.errors import LaunchError

PYTHON_VARIABLE: Final = "M4SC_GNURADIO"
SYSTEM_PYTHON: Final = "/usr/bin/python3"
PROBE_S: Final = 60.0
_PEER: Final = """
import json, sys, time
from gnuradio import blocks, channels, gr
samples, n0 = int(sys.argv[1]), float(sys.argv[2])
print(json.dumps(gr.version()), flush=True)
for _ in sys.stdin:
    top = gr.top_block()
    source = blocks.vector_source_c([1 + 0j] * 4096, True)
    head = blocks.head(gr.sizeof_gr_complex, samples)
    model = channels.channel_model(noise_voltage=n0 ** 0.5, noise_seed=1)
    top.connect(source, head, model, blocks.null_sink(gr.sizeof_gr_complex))
    began_s = time.process_time()
    top.run()
    print(json.dumps(time.process_time() - began_s), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Channel uses of a frame, and samples that GNU Radio is given at a time: it takes a while to start."""

    uses: int = 65_536
    samples: int = 10_000_000


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Samples a second of processor time, all threads of either; no line where there is no GNU Radio."""
    python = os.environ.get(PYTHON_VARIABLE, SYSTEM_PYTHON)
    if not installed(python):
        order.say(f"gnuradio: {python} has none")
        return []
    with subprocess.Popen(  # whose end closes the peer's input, at which it ends
        [python, "-c", _PEER, str(sizes.samples), str(N0)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(),
    ) as peer:
        version = _said(peer)
        own_s, its_s = [], []
        work = emulate("awgn", 1, sizes.uses, order.seed)
        for _ in range(order.rounds + 1):
            own_s += interleaved({"own": work}, 1)["own"]
            assert peer.stdin is not None
            peer.stdin.write("again\n")
            peer.stdin.flush()
            its_s.append(float(str(_said(peer))))
    return [
        rate_line(
            "gnuradio.awgn",
            f"emulator, awgn, frames of {sizes.uses:,} uses, one receiver",
            UNIT,
            sizes.uses / 1e6,
            own_s[1:],
            f"GNU Radio {version}, channel_model",
            its_s[1:],
            sizes.samples / 1e6,
            note="its noise repeats",
        )
    ]


def installed(python: str) -> bool:
    """Whether a Python is there and has GNU Radio's channel models."""
    try:
        probe = [python, "-c", "import gnuradio.channels"]
        done = subprocess.run(probe, capture_output=True, timeout=PROBE_S, check=False, env=_environment())
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _environment() -> dict[str, str]:
    """Without what makes another Python find this one's packages."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_"))}


def _said(peer: "subprocess.Popen[str]") -> object:
    assert peer.stdout is not None
    line = peer.stdout.readline()
    if not line:
        raise LaunchError("bench: GNU Radio's process ended early")
    return json.loads(line)
