"""Parameters of a random fault by its kind: entries of a scenario, without kind and begin."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from shared.process_fault_config import PROCESS_FAULT_CONFIGS

Rng = np.random.Generator
Draw = Callable[[Rng, int, float, str | None], dict[str, Any]]
"""Generator, users of the run, seconds that the fault lasts, and for a fault on a process its role."""
OF_USERS: Final = ("leave", "replace")
"""What only a UE can suffer."""
_FRAMES, _EVERYTHING = ["public", "private"], ["public", "private", "side", "control", "feedback"]


def on_process(kind: str) -> bool:
    return kind in PROCESS_FAULT_CONFIGS


def _between(rng: Rng, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 3)


def _aim(rng: Rng, users: int) -> dict[str, Any]:
    """Everybody, or half of the users; the downlink's frames, or everything in both directions."""
    half = sorted(int(user) for user in rng.permutation(users)[: (users + 1) // 2])
    everything = rng.random() < 0.5
    aim: dict[str, Any] = {
        "direction": "both" if everything else "down",
        "class": _EVERYTHING if everything else _FRAMES,
    }
    return aim | ({"users": half} if rng.random() < 0.5 else {})


def _on_air(parameters: Callable[[Rng], dict[str, Any]]) -> Draw:
    """Everybody, or half of the users; frames only, and down, as the air is."""

    def draw(rng: Rng, users: int, for_s: float, role: str | None) -> dict[str, Any]:
        aim = {key: value for key, value in _aim(rng, users).items() if key == "users"}
        return {"for_s": for_s, "on": aim, **parameters(rng)}

    return draw


def _on_messages(parameters: Callable[[Rng], dict[str, Any]]) -> Draw:
    return lambda rng, users, for_s, role: {"for_s": for_s, "on": _aim(rng, users), **parameters(rng)}


def _on_role(lasts: bool, parameters: Callable[[Rng], dict[str, Any]] = lambda rng: {}) -> Draw:
    def draw(rng: Rng, users: int, for_s: float, role: str | None) -> dict[str, Any]:
        return {"on": {"role": role}, **({"for_s": for_s} if lasts else {}), **parameters(rng)}

    return draw


DRAWS: Final[dict[str, Draw]] = {
    "loss": _on_messages(lambda rng: {"probability": _between(rng, 0.2, 0.5)}),
    "burst_loss": _on_messages(
        lambda rng: {"turn_bad": _between(rng, 0.1, 0.3), "turn_good": _between(rng, 0.2, 0.5)}
    ),
    "partition": _on_messages(lambda rng: {}),
    "delay": _on_messages(
        lambda rng: {
            "delay_ms": _between(rng, 5, 80),
            "jitter_ms": _between(rng, 1, 60),
            "distribution": str(rng.choice(["uniform", "normal", "pareto"])),
            "correlation": _between(rng, 0.0, 0.8),
        }
    ),
    "reorder": _on_messages(
        lambda rng: {"probability": _between(rng, 0.2, 0.5), "hold_ms": _between(rng, 10, 100)}
    ),
    "duplicate": _on_messages(
        lambda rng: {"probability": _between(rng, 0.2, 0.6), "copies": int(rng.integers(1, 4))}
    ),
    "corrupt": _on_messages(
        lambda rng: {"probability": _between(rng, 0.3, 0.8), "bit_error_rate": _between(rng, 0.001, 0.02)}
    ),
    "truncate": _on_messages(
        lambda rng: {"probability": _between(rng, 0.3, 0.8), "keep": _between(rng, 0.1, 0.9)}
    ),
    "rate_limit": _on_messages(
        lambda rng: {"kbytes_per_s": _between(rng, 20, 60), "queue_kbytes": _between(rng, 8, 32)}
    ),
    "corrupt_header": _on_messages(
        lambda rng: {"probability": _between(rng, 0.2, 0.5), "bits": int(rng.integers(1, 17))}
    ),
    "deep_fade": _on_air(lambda rng: {"depth_db": _between(rng, 5, 30)}),
    "snr_drop": _on_air(lambda rng: {"drop_db": _between(rng, 5, 25), "ramp": bool(rng.random() < 0.5)}),
    "jammer": _on_air(
        lambda rng: {"jam_to_signal_db": _between(rng, -5, 15), "share": _between(rng, 0.3, 1.0)}
    ),
    "stale_csi": _on_air(lambda rng: {"correlation": _between(rng, 0.2, 0.95)}),
    "clipping": _on_air(lambda rng: {"clip_db": _between(rng, -6, 1)}),
    "kill": _on_role(lasts=False),
    "pause": _on_role(lasts=True),
    "slow": _on_role(lasts=True, parameters=lambda rng: {"cpu_share": _between(rng, 0.2, 0.6)}),
    "restart": _on_role(lasts=False),
    "leave": _on_role(lasts=True),
    "replace": _on_role(lasts=True),
    "disk_full": _on_role(lasts=True),
}
