"""The emulator's own faults between the real roles: whatever they do, the invariants hold."""

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from shared.config_file import parse_config
from shared.fault_config import FAULT_CONFIGS
from shared.semantic.bundle import Bundle
from shared.wire.codec import REASONS
from shared.wire.messages import Feedback
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, config, questions, workload
from tests.simulation.test_real_pipelines import N as REAL_N
from tests.simulation.test_real_pipelines import world_of
from tests.simulation.world import World, no_mischief

N = 9
IDEAL = {"model": "ideal", "sample_format": "cf32"}
EVERYTHING = {"direction": "both", "classes": ["public", "private", "side", "control", "feedback"]}
HARMS: dict[str, dict[str, object]] = {
    "noop": {},
    "loss": {"probability": 0.2},
    "burst_loss": {"turn_bad": 0.1, "turn_good": 0.4},
    "partition": {"users": [1], "direction": "up"},
    "delay": {"delay_ms": 30.0, "jitter_ms": 40.0, "distribution": "pareto", "correlation": 0.5},
    "reorder": {"probability": 0.3},
    "duplicate": {"probability": 0.3, "copies": 2},
    "corrupt": {"probability": 0.2, "bit_error_rate": 0.01},
    "truncate": {"probability": 0.2},
    "rate_limit": {"kbytes_per_s": 200.0},
    "corrupt_header": {"probability": 0.2, "bits": 3},
}
AIR: dict[str, dict[str, object]] = {
    "deep_fade": {"depth_db": 12.0},
    "snr_drop": {"drop_db": 12.0},
    "jammer": {"jam_to_signal_db": 3.0, "share": 0.5},
    "stale_csi": {"correlation": 0.7},
    "clipping": {"clip_db": 0.0},
}
REPAIRED = ("noop", "delay", "reorder", "duplicate", "rate_limit")


def test_every_fault_is_tried() -> None:
    assert HARMS.keys() | AIR.keys() == FAULT_CONFIGS.keys()


def fault(name: str) -> dict[str, object]:
    return {"fault": name, **EVERYTHING, **HARMS[name]}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.lists(st.sampled_from(sorted(set(HARMS) - {"corrupt"})), min_size=1, max_size=4, unique=True),
)
def test_any_mix_of_faults(seed: int, names: list[str]) -> None:
    """Without wrong samples, by which the stand-ins' answers would be wrong."""
    note(f"seed {seed}")
    found = config(channel={**IDEAL, "faults": [fault(name) for name in names]}, seed=seed)
    world = World(found, workload(N), images=IMAGES, mischief=no_mischief)
    world.run_workload()
    assert world.told("workload_done")
    world.command("bs", "drain")
    world.run(120.0)
    ends = check_invariants(world, questions(N))
    assert sum(ends.values()) == N
    if set(names) <= set(REPAIRED):
        assert ends == {"ok": N}


@pytest.mark.parametrize("name", ["corrupt", "truncate"])
def test_damaged_payloads_are_repaired_or_said(bundle: Bundle, name: str) -> None:
    channel = {"model": "awgn", "snr_db": 10.0, "faults": [fault(name)]}
    world = world_of(bundle, parse_config({"users": 3, "max_group": 3, "channel": channel}, "test"), 0.0)
    world.run_workload()
    ends = check_invariants(world)
    assert set(ends) <= {"ok", "degraded"}
    assert sum(ends.values()) == REAL_N
    assert [event["what"] for event in world.events("fault", role="ce")] == ["begin", "strike"]


def test_the_end_of_a_fault_says_how_often_it_struck() -> None:
    found = config(channel={**IDEAL, "faults": [fault("duplicate"), fault("noop")]})
    world = World(found, workload(N), images=IMAGES, mischief=no_mischief)
    world.run_workload()
    for name in ("bs", "ce"):
        world.command(name, "drain")
    world.run(60.0)
    told = world.events("fault", role="ce")
    assert [event["what"] for event in told] == ["begin", "strike", "end"]
    assert {event["fault"] for event in told} == {"duplicate.0"}
    assert told[-1]["strikes"] > 1


def test_messages_with_damaged_headers_arrive_as_nothing_and_are_sent_again() -> None:
    """Both ways and of every class: as many drops at receivers as the fault struck, and all is answered."""
    found = config(channel={**IDEAL, "faults": [fault("corrupt_header")]}, retransmission={"max_attempts": 8})
    world = World(found, workload(N), images=IMAGES, mischief=no_mischief)
    world.run_workload()
    for name in ("bs", "ce"):
        world.command(name, "drain")
    world.run(60.0)
    assert check_invariants(world, questions(N)) == {"ok": N}
    (ended,) = [event for event in world.events("fault", role="ce") if event["what"] == "end"]
    unread = {reason: world.drops[reason] for reason in REASONS if world.drops[reason]}
    assert sum(unread.values()) == ended["strikes"] > 0
    assert unread["bad_checksum"] > 0.5 * ended["strikes"]  # the rest are bits of magic, version and length


@pytest.mark.parametrize("csi", ["pilots", "genie"])
def test_a_bad_air_is_answered_all_the_same(bundle: Bundle, csi: str) -> None:
    """Every fault of the air at once, on two of three users: all requests end, once, at their users."""
    faults = [{"fault": name, "users": [0, 1], **parameters} for name, parameters in AIR.items()]
    channel = {"model": "rayleigh", "snr_db": 12.0, "csi": csi, "faults": faults}
    world = world_of(bundle, parse_config({"users": 3, "max_group": 3, "channel": channel}, "test"), 0.0)
    world.run_workload()
    for name in ("bs", "ce"):
        world.command(name, "drain")
    world.run(120.0)
    ends = check_invariants(world)
    assert set(ends) <= {"ok", "degraded"}
    assert sum(ends.values()) == REAL_N
    struck = {e["fault"]: e["strikes"] for e in world.events("fault", role="ce") if e["what"] == "end"}
    assert struck.keys() == {f"{name}.0" for name in AIR}
    assert all(struck.values())
    assert {e["user"] for e in world.events("degraded")} <= {0, 1}


def test_coded_maps_fade_with_their_frames_and_are_asked_for_again(bundle: Bundle) -> None:
    """40 dB down for 4 ms the first maps cannot be read; their copies after it can."""
    faded = {"fault": "deep_fade", "classes": ["side"], "depth_db": 40.0, "for_s": 0.004}
    channel = {"model": "rician", "k_factor_db": 10.0, "snr_db": 12.0, "side_info": "ldpc", "faults": [faded]}
    world = world_of(bundle, parse_config({"users": 3, "max_group": 3, "channel": channel}, "test"), 0.0)
    world.run_workload()
    assert check_invariants(world) == {"ok": REAL_N}
    unread = [m for _, n, m in world.sent if n != "ce" and isinstance(m, Feedback) and m.side_missing]
    (ended,) = [e for e in world.events("fault", role="ce") if e["what"] == "end"]
    assert 0 < ended["strikes"] <= len(unread)
