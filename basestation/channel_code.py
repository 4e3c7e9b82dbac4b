"""Channel code: planned frames to channel symbols of unit average power, pilots in front, as wire samples.

Analog, a token's symbols are sent as they are; digital, as bits of their real values through LDPC and QAM, in
the scheme that the least average SNR of a frame's users allows.

Of each token only the first eighths of its channel uses are sent that the operating point says. One
amplitude a stream, the public one of a group and the private one of each request, makes the group's sum
|x|^2 equal its channel uses. Streams share that by what their tokens are worth: a code of `stream` power
gives the tokens of an image unequal power, and where background is sent once for all, what each image has of
its own must not lose its part to it. Where all tokens of a request are in one stream, or equal, that is unit
power for each. Public symbols may have more power than private ones, or less. Digital streams have unit
power each. Pilots have unit modulus.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from basestation.compare import Key
from basestation.partition import FramePlan
from shared.air import power, quantise, transport
from shared.air.carry import carried
from shared.config import ChannelConfig
from shared.rate import WHOLE, Prefixes
from shared.wire.messages import SymbolFrame

ChannelEncoder = Callable[[np.ndarray, str], np.ndarray]
"""(token vectors [n, D], stream) -> complex64 symbols [n, uses_per_token], of the code's own power."""
StreamName = tuple[str, str]
"""(public or private, the request's id if private)."""


@dataclass(frozen=True, slots=True)
class CodedGroup:
    """First transmissions of all frames of a group, and times what each stream's symbols are sent.

    `repeats`: digital frames as further attempts send them, by frame_id, the second attempt first.
    """

    frames: tuple[SymbolFrame, ...]
    amplitudes: Mapping[StreamName, float]
    repeats: Mapping[int, tuple[SymbolFrame, ...]] = field(default_factory=dict)

    def codes_for(self, request_id: str) -> tuple[int, int]:
        """The amplitudes of the public stream and of a request's private one, as the index map has them."""
        names = (("public", ""), ("private", request_id))
        public, private = (power.amplitude_code(self.amplitudes.get(name, 1.0)) for name in names)
        return public, private


def code_frames(
    plans: tuple[FramePlan, ...],
    vectors: dict[Key, np.ndarray],
    worth: Mapping[Key, float],
    group_id: int,
    channel: ChannelConfig,
    encode: ChannelEncoder,
    prefixes: Prefixes = WHOLE,
    attempts: int = 1,
) -> CodedGroup:
    """Everything a group has to send; the transmitter fills in `first_use`.

    A digital frame is made for so many `attempts`; analog ones repeat themselves.

    In bypass, which is for an ideal channel, vectors are sent as they are. Raises `LocalProtocolError` for a
    stream without energy.
    """
    symbols = _encode_streams(plans, vectors, encode, prefixes)
    bypass = channel.codec == "bypass"
    of_analog = worth if channel.mode == "analog" else {}
    amplitudes = {} if bypass else _amplitudes(plans, symbols, of_analog, channel.public_power_db)
    frames = []
    repeats: dict[int, tuple[SymbolFrame, ...]] = {}
    for plan in plans:
        body_NU = np.stack([symbols[plan.stream, name] for name in plan.tokens])
        body_NU = body_NU * np.float32(amplitudes.get((plan.stream, plan.request_id), 1.0))
        if channel.mode == "analog":
            frames.append(_frame(plan, group_id, channel, body_NU.shape[1], body_NU.reshape(-1)))
            continue
        bits_n = quantise.to_bits(body_NU, channel.quantiser_bits).reshape(-1)
        mcs = mcs_for(plan.users, channel)
        bodies = [transport.encode(bits_n, mcs, attempt) for attempt in range(attempts)]
        first, *others = (_frame(plan, group_id, channel, body_NU.shape[1], body) for body in bodies)
        frames.append(first)
        repeats[plan.frame_id] = tuple(others)
    return CodedGroup(tuple(frames), amplitudes, repeats)


def body_uses(plan: FramePlan, channel: ChannelConfig, uses_per_token: int) -> int:
    """Channel uses of a frame's tokens, pilots apart."""
    if channel.mode == "analog":
        return len(plan.tokens) * uses_per_token
    bits = len(plan.tokens) * quantise.bits_per_token(uses_per_token, channel.quantiser_bits)
    return transport.uses_of(bits, mcs_for(plan.users, channel))


def mcs_for(users: Iterable[int], channel: ChannelConfig) -> transport.Mcs:
    """What the worst of a frame's users can read."""
    return transport.mcs_at(min(channel.snr_db_of(user) for user in users))


def _frame(
    plan: FramePlan, group_id: int, channel: ChannelConfig, uses_per_token: int, body: np.ndarray
) -> SymbolFrame:
    return SymbolFrame(
        stream=plan.stream,
        users=plan.users,
        group_id=group_id,
        frame_id=plan.frame_id,
        attempt=0,
        first_token=plan.first_token,
        n_tokens=len(plan.tokens),
        uses_per_token=uses_per_token,
        first_use=0,
        quantiser_bits=channel.quantiser_bits if channel.mode == "digital" else 0,
        **carried(channel, body),
    )


def _amplitudes(
    plans: Sequence[FramePlan],
    symbols: Mapping[tuple[str, Key], np.ndarray],
    worth: Mapping[Key, float],
    public_power_db: float,
) -> dict[StreamName, float]:
    """`worth` of a token that is not in it: 1."""
    energy: dict[StreamName, float] = defaultdict(float)
    valued: dict[StreamName, float] = defaultdict(float)
    uses = Counter[StreamName]()
    for plan in plans:
        stream = plan.stream, plan.request_id
        for name in plan.tokens:
            token_U = symbols[plan.stream, name]
            energy[stream] += power.energy(token_U)
            uses[stream] += token_U.size
            valued[stream] += token_U.size * worth.get(name, 1.0)
    ratio = 10.0 ** (public_power_db / 10.0)
    wanted = {stream: value * (ratio if stream[0] == "public" else 1.0) for stream, value in valued.items()}
    level = uses.total() / sum(wanted.values()) if wanted else 1.0
    return {
        stream: math.sqrt(level * wanted[stream] / uses[stream])
        * power.scale_to_unit_power(energy[stream], uses[stream])
        for stream in uses
    }


def _encode_streams(
    plans: tuple[FramePlan, ...], vectors: dict[Key, np.ndarray], encode: ChannelEncoder, prefixes: Prefixes
) -> dict[tuple[str, Key], np.ndarray]:
    """The symbols of every token that are sent, one call of the encoder a stream."""
    symbols: dict[tuple[str, Key], np.ndarray] = {}
    for stream in ("public", "private"):
        kinds = {name: plan.kind for plan in plans if plan.stream == stream for name in plan.tokens}
        if kinds:
            coded_NU = encode(np.stack([vectors[name] for name in kinds]), stream)
            for (name, kind), token_U in zip(kinds.items(), coded_NU, strict=True):
                symbols[stream, name] = token_U[: prefixes.uses(kind, len(token_U))]
    return symbols
