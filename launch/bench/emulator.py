"""The emulator's role object, frames in and a frame out for each receiver, without sockets.

References, each of the same run: the bare noise generator, filling as many samples of noise and doing nothing
else; Sionna's AWGN block on as many symbols.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from channel_emulator.physics.noise import CHUNK_USES
from channel_emulator.physics.normals import fill_complex_normals
from channel_emulator.role import ChannelEmulator
from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.timing import Work, interleaved, rate_line
from shared.actions import Send
from shared.air.samples import to_wire
from shared.config import RunConfig
from shared.rng import generator
from shared.routing import peer_name
from shared.spec import RoleSpec
from shared.wire.messages import PROTOCOL_VERSION, Hello, SymbolFrame

SNR_DB, N0 = 10.0, 0.1
TOKENS = 16
"""Of a frame, as configured by default."""
OF_NOISE = Target("ratio", 0.8, "at least")
OF_SIONNA = Target("ratio", 3.0, "at least")
UNIT = "M samples/s"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Receivers of a frame and channel uses of one: the shipped bundle's, the paper preset's, a long one."""

    receivers: tuple[int, ...] = (1, 8, 64)
    uses: tuple[int, ...] = (224, 4_096, 65_536)
    least_s: float = 0.02

    @property
    def long(self) -> int:
        return max(self.uses)


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Targets are for long frames, where throughput is the noise's; short ones show what a frame costs."""
    lines = []
    for model, uses, receivers in _points(sizes):
        order.say(f"emulator: {model}, {receivers} receivers, {uses:,} uses")
        works = {
            "own": emulate(model, receivers, uses, order.seed),
            "noise": draw_noise(receivers, uses, order.seed),
            "sionna": sionna_awgn(receivers, uses, order.seed),
        }
        seconds = interleaved(works, order.rounds, least_s=sizes.least_s)
        aimed = model == "awgn" and uses == sizes.long
        name = f"emulator.{model}.{receivers}x{uses}"
        figure = f"emulator, {model}, frames of {uses:,} uses, {receivers} receivers"
        amount = receivers * uses / 1e6
        for reference, what, target in (
            ("noise", "bare noise generator", OF_NOISE),
            ("sionna", "Sionna's AWGN block", OF_SIONNA),
        ):
            lines.append(
                rate_line(
                    f"{name}.{reference}",
                    figure,
                    UNIT,
                    amount,
                    seconds["own"],
                    what,
                    seconds[reference],
                    target=target if aimed else None,
                )
            )
    return lines


def _points(sizes: Sizes) -> list[tuple[str, int, int]]:
    """AWGN at every size; Rayleigh, whose gains come on top, at the longest and the shortest frames."""
    ends = {sizes.uses[0], sizes.long}
    return [
        (model, uses, receivers)
        for model in ("awgn", "rayleigh")
        for uses in sizes.uses
        for receivers in sizes.receivers
        if model == "awgn" or uses in ends
    ]


def emulate(model: str, receivers: int, uses: int, seed: int) -> Work:
    """One frame through a role object that all have joined; every receiver gets a frame of its own."""
    role, frame = role_for(config_for(model, receivers, seed)), frame_for(receivers, uses, seed)

    def work() -> None:
        actions = role.on_message(frame, 0.0, "bs")
        sent = sum(isinstance(action, Send) for action in actions)
        if sent != receivers:
            raise RuntimeError(f"emulator: expected {receivers} frames, it sent {sent}")

    return work


def draw_noise(receivers: int, uses: int, seed: int) -> Work:
    """As much noise as a frame's receivers get, from one source, a chunk at a time into one buffer."""
    source, out = generator(seed, "bench"), np.empty(min(uses, CHUNK_USES), np.complex64)
    chunks = [min(CHUNK_USES, uses - start) for start in range(0, uses, CHUNK_USES)]

    def work() -> None:
        for _ in range(receivers):
            for length in chunks:
                fill_complex_normals(source, out[:length], N0)

    return work


def sionna_awgn(receivers: int, uses: int, seed: int) -> Work:
    """Sionna's block in single precision on [receivers, uses], all in one call."""
    import sionna.phy
    import torch
    from sionna.phy.channel import AWGN

    sionna.phy.config.seed = seed + 1
    block = AWGN(precision="single", device="cpu")
    x = torch.from_numpy(np.tile(qpsk(uses, seed), (receivers, 1)))

    def work() -> None:
        with torch.inference_mode():
            block(x, N0)

    return work


def config_for(model: str, receivers: int, seed: int) -> RunConfig:
    return RunConfig.model_validate(
        {"users": receivers, "seed": seed, "channel": {"model": model, "snr_db": SNR_DB}}
    )


def role_for(config: RunConfig) -> ChannelEmulator:
    """An emulator with the base station and all users attached."""
    role = ChannelEmulator(
        RoleSpec(
            run_id="bench", role="ce", user=-1, incarnation=0, config=config, run_dir=Path("bench"),
            control_endpoint="", data_endpoint="", host="here",
        )
    )  # fmt: skip
    for user in range(-1, config.users):
        role.on_message(hello(user), 0.0, "bs" if user < 0 else peer_name("ue", user))
    return role


def hello(user: int) -> Hello:
    """Of the base station (-1) or a user."""
    role = "bs" if user < 0 else "ue"
    return Hello(protocol=PROTOCOL_VERSION, role=role, user=user, incarnation=0, fingerprint="bench")


def frame_for(receivers: int, uses: int, seed: int, frame_id: int = 0) -> SymbolFrame:
    """A frame for users 0 to receivers - 1, in the default sample format."""
    payload, full_scale = to_wire(qpsk(uses, seed), "cs16")
    return SymbolFrame(
        stream="public" if receivers > 1 else "private", users=tuple(range(receivers)), group_id=0,
        frame_id=frame_id, attempt=0, first_token=0, n_tokens=TOKENS, uses_per_token=uses // TOKENS,
        pilot_uses=uses % TOKENS, first_use=0, uses=uses, energy=float(uses), sample_format="cs16",
        full_scale=full_scale, payload=payload,
    )  # fmt: skip


def qpsk(uses: int, seed: int) -> np.ndarray:
    """Symbols complex64 [uses] of unit power."""
    signs_U2 = 1 - 2 * np.random.default_rng(seed).integers(0, 2, (uses, 2))
    symbols: np.ndarray = ((signs_U2 @ np.array([1, 1j])) / np.sqrt(2)).astype(np.complex64)
    return symbols
