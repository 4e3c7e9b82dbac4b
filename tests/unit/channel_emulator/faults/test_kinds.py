"""What each fault does, and how often, against what its definition says."""

import math
from collections.abc import Iterable

import numpy as np
import pytest

from channel_emulator.faults.fault import Damage, Fate
from shared.fault_config import MAX_DELAY_MS
from shared.wire.messages import Message, SideInfo, SymbolFrame
from tests.unit.channel_emulator.faults.test_faults import begun, made
from tests.unit.channel_emulator.support import cancel, frame, qpsk, side_info

N = 6_000


def fates(n: int = N, now_s: Iterable[float] | None = None, seed: int = 1, **fault: object) -> list[Fate]:
    chain = begun((made(**fault),), seed)
    times = [0.0] * n if now_s is None else list(now_s)
    return [chain.fate(frame(frame_id=i), 0, "down", t) for i, t in enumerate(times)]


def delays_ms(**fault: object) -> np.ndarray:
    return np.array([1e3 * fate.delay_s for fate in fates(fault="delay", **fault)])


def test_bursts_have_the_share_and_the_length_of_their_chain() -> None:
    lost = np.array([bool(f.lost) for f in fates(20_000, fault="burst_loss", turn_bad=0.05, turn_good=0.2)])
    # The chain remembers: as if the sample were (2 - a) / a times smaller, with a = turn_bad + turn_good.
    scatter = math.sqrt(0.2 * 0.8 / (20_000 * 0.25 / 1.75))
    assert lost.mean() == pytest.approx(0.05 / 0.25, abs=4 * scatter)
    starts = np.flatnonzero(lost[1:] & ~lost[:-1])
    assert lost[1:].sum() / len(starts) == pytest.approx(1 / 0.2, rel=0.1)


def test_a_link_that_never_turns_bad_loses_nothing_and_links_have_states_of_their_own() -> None:
    assert not any(f.lost for f in fates(500, fault="burst_loss", turn_bad=0.0, turn_good=0.0))
    chain = begun((made(fault="burst_loss", turn_bad=1.0, turn_good=0.0, users=(1,)),), 1)
    assert [chain.fate(frame(), user, "down").lost for user in (0, 1)] == ["", "burst_loss"]


def test_a_partition_is_one_way_or_both_and_for_whom_it_says() -> None:
    chain = begun((made(fault="partition", direction="up", users=(1,)),), 1)
    lost = [(u, d) for u in (0, 1) for d in ("up", "down") if chain.fate(cancel(u), u, d).lost]
    assert lost == [(1, "up")]


def test_a_constant_delay_is_constant() -> None:
    assert set(delays_ms(delay_ms=12.0)) == {12.0}


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_jitter_has_its_distribution_whatever_its_correlation(correlation: float) -> None:
    slack = 5 / math.sqrt(N) * math.sqrt((1 + correlation) / (1 - correlation))
    uniform = delays_ms(delay_ms=50.0, jitter_ms=20.0, correlation=correlation)
    assert uniform.min() >= 30.0
    assert uniform.max() <= 70.0
    assert uniform.mean() == pytest.approx(50.0, abs=slack * 20 / math.sqrt(3))
    assert uniform.std() == pytest.approx(20 / math.sqrt(3), rel=2 * slack)
    normal = delays_ms(delay_ms=500.0, jitter_ms=20.0, distribution="normal", correlation=correlation)
    assert normal.mean() == pytest.approx(500.0, abs=slack * 20)
    assert normal.std() == pytest.approx(20.0, rel=2 * slack)
    pareto = delays_ms(delay_ms=5.0, jitter_ms=10.0, distribution="pareto", correlation=correlation)
    assert pareto.min() >= 5.0
    assert np.median(pareto) == pytest.approx(5.0 + 10.0 * (2 ** (1 / 3) - 1), rel=slack)
    lag = np.corrcoef(normal[1:], normal[:-1])[0, 1]
    assert lag == pytest.approx(correlation, abs=4 / math.sqrt(N))


def test_no_delay_is_negative_or_beyond_the_bound() -> None:
    delays = delays_ms(delay_ms=1.0, jitter_ms=MAX_DELAY_MS, distribution="normal")
    assert delays.min() == 0.0
    assert delays.max() == MAX_DELAY_MS


@pytest.mark.parametrize(
    ("fault", "harm"),
    [
        ({"fault": "reorder", "probability": 0.3, "hold_ms": 7.0}, Fate(delay_s=7e-3)),
        ({"fault": "duplicate", "probability": 0.3, "copies": 2}, Fate(copies=2)),
    ],
)
def test_the_chosen_are_harmed_and_the_others_not(fault: dict[str, object], harm: Fate) -> None:
    found = fates(**fault)
    assert set(found) == {Fate(), harm}
    share = sum(fate == harm for fate in found) / N
    assert share == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / N))


def damage_of(message: Message, seed: int = 1, **fault: object) -> Damage:
    damage = begun((made(**fault),), seed).fate(message, 0, "down").damage
    assert damage is not None
    return damage


def test_bits_are_wrong_at_their_rate_and_the_header_is_whole() -> None:
    sent = frame(samples=qpsk(20_000))
    received = damage_of(sent, fault="corrupt", bit_error_rate=0.01)(sent)
    assert isinstance(received, SymbolFrame)
    before, after = (np.unpackbits(np.frombuffer(bytes(m.payload), np.uint8)) for m in (sent, received))
    rate = float(np.mean(before != after))
    assert rate == pytest.approx(0.01, abs=5 * math.sqrt(0.01 / len(before)))
    assert {f: getattr(sent, f) for f in ("users", "frame_id", "uses")} == {
        f: getattr(received, f) for f in ("users", "frame_id", "uses")
    }
    assert damage_of(sent, fault="corrupt", bit_error_rate=0.01)(sent) == received
    assert damage_of(sent, seed=2, fault="corrupt", bit_error_rate=0.01)(sent) != received


def test_a_rare_bit_error_is_at_least_one() -> None:
    sent = side_info()
    received = damage_of(sent, fault="corrupt", bit_error_rate=1e-9)(sent)
    assert isinstance(received, SideInfo)
    before, after = (np.unpackbits(np.frombuffer(bytes(m.payload), np.uint8)) for m in (sent, received))
    assert (before != after).sum() == 1


def test_a_payload_is_cut_and_what_has_none_is_left_alone() -> None:
    sent = frame(samples=qpsk(100))
    received = damage_of(sent, fault="truncate", probability=1.0, keep=0.25)(sent)
    assert isinstance(received, SymbolFrame)
    assert bytes(received.payload) == bytes(sent.payload)[: len(bytes(sent.payload)) // 4]
    for fault in ({"fault": "truncate", "probability": 1.0}, {"fault": "corrupt", "bit_error_rate": 0.5}):
        assert not begun((made(**fault),), 1).fate(cancel(), 0, "down").harmed


def test_a_limited_link_carries_its_rate_and_loses_what_its_queue_cannot_hold() -> None:
    chain = begun((made(fault="rate_limit", kbytes_per_s=100.0, queue_kbytes=10.0),), 1)
    sent = frame(samples=qpsk(117))
    size = 64 + len(bytes(sent.payload))
    found = [chain.fate(sent, 0, "down", 2.0) for _ in range(40)]
    passed = [f for f in found if not f.lost]
    np.testing.assert_allclose([f.delay_s for f in passed], (np.arange(len(passed)) + 1) * size / 1e5)
    assert len(passed) == math.floor(10e3 / size) + 1
    assert {f.lost for f in found[len(passed) :]} == {"rate_limit"}
    assert chain.fate(sent, 0, "down", 12.0).delay_s == pytest.approx(size / 1e5)  # the queue is empty again


def test_faults_one_after_the_other_add_up() -> None:
    harms = (
        made(fault="delay", delay_ms=5.0),
        made(fault="duplicate", probability=1.0, copies=2),
        made(fault="duplicate", probability=1.0, copies=1),
        made(fault="delay", delay_ms=7.0),
        made(fault="truncate", probability=1.0, keep=0.5),
        made(fault="truncate", probability=1.0, keep=0.5),
    )
    chain, sent = begun(harms, 1), frame(samples=qpsk(64))
    fate = chain.fate(sent, 0, "down")
    assert (fate.lost, fate.delay_s, fate.copies) == ("", pytest.approx(12e-3), 5)
    assert fate.damage is not None
    damaged = fate.damage(sent)
    assert isinstance(damaged, SymbolFrame)
    assert len(bytes(damaged.payload)) == len(bytes(sent.payload)) // 4
    assert set(chain.strikes.values()) == {1}
