"""Schedules drawn at random: a fault of a weighted kind every so often, each with parameters of its own.

The same seed, users and settings give the same schedule. No two faults on processes meet on one role, and
every fault is drawn strong and long enough to harm something in a run of a few requests a second.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from launch.chaos.draws import DRAWS, OF_USERS, on_process
from launch.chaos.entries import AnyFault, fault_of, lasts_s
from shared.config_file import ConfigError
from shared.process_fault_config import ProcessFault
from shared.rng import generator

SETTLE_S = 4.0
"""How long a role is left alone after a fault on its process: its restart falls into that time."""
MAX_DRAWN = 512


class Nemesis(BaseModel):
    """A fault of a weighted kind every so often."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    mix: dict[str, float] = Field(min_length=1)
    """Kinds of faults by weight."""
    every_s: float = Field(ge=0.1, le=3_600.0)
    """Between two faults, give or take a quarter."""
    for_s: tuple[float, float] = (1.5, 3.0)
    """How long each lasts: least and most."""
    from_s: float = Field(1.0, ge=0.0)
    """When the first begins."""

    def check(self, heal_s: float, where: str) -> None:
        """Raises `ConfigError` for what cannot be drawn."""
        for kind, weight in self.mix.items():
            if kind not in DRAWS:
                raise ConfigError(f"{where}.mix.{kind}: expected some of {', '.join(sorted(DRAWS))}")
            if not 0.0 < weight <= 1e6:
                raise ConfigError(f"{where}.mix.{kind}: expected a weight above 0, found {weight:g}")
        least_s, most_s = self.for_s
        if not 0.0 < least_s <= most_s:
            raise ConfigError(f"{where}.for_s: expected [least, most], both above 0")
        if (heal_s - self.from_s) / self.every_s > MAX_DRAWN:
            raise ConfigError(f"{where}.every_s: expected at most {MAX_DRAWN} faults by heal_s {heal_s:g}")
        if self.from_s + 1.25 * self.every_s + most_s > heal_s:
            raise ConfigError(f"{where}: no fault ends by heal_s {heal_s:g}, expected shorter times")


def draw(
    nemesis: Nemesis, seed: int, users: int, heal_s: float, beside: Sequence[AnyFault] = ()
) -> list[AnyFault]:
    """In order of time. `beside`: faults of the scenario, whose roles are left alone meanwhile."""
    rng = generator(seed, "nemesis")
    kinds, weights = list(nemesis.mix), np.array(list(nemesis.mix.values()))
    faults: list[AnyFault] = []
    for number in range(int((heal_s - nemesis.from_s) / nemesis.every_s) + 1):
        jitter_s = rng.uniform(-0.25, 0.25) * nemesis.every_s
        at_s = round(max(0.0, nemesis.from_s + number * nemesis.every_s + jitter_s), 2)
        for_s = round(rng.uniform(*nemesis.for_s), 2)
        kind = str(rng.choice(kinds, p=weights / weights.sum()))
        if at_s + for_s > heal_s:
            continue
        role = _free_role(rng, users, kind, (at_s, at_s + for_s), [*beside, *faults])
        if on_process(kind) and role is None:
            continue
        entry: dict[str, Any] = {"fault": kind, "at_s": at_s, **DRAWS[kind](rng, users, for_s, role)}
        faults.append(fault_of(entry, f"nemesis.{number}"))
    return faults


def _free_role(
    rng: np.random.Generator,
    users: int,
    kind: str,
    window_s: tuple[float, float],
    faults: Sequence[AnyFault],
) -> str | None:
    """Half of the time a UE, else base station or emulator; the same draws whatever is busy."""
    order = [str(name) for name in rng.permutation([f"ue-{user}" for user in range(users)])]
    core = [str(name) for name in rng.permutation(["bs", "ce"])]
    names = order + core if rng.random() < 0.5 else core + order
    names = order if kind in OF_USERS else names
    begin_s, end_s = window_s
    busy = {
        f.role
        for f in faults
        if isinstance(f, ProcessFault)
        and f.at_s - SETTLE_S < end_s
        and begin_s < f.at_s + lasts_s(f) + SETTLE_S
    }
    return next((name for name in names if name not in busy), None)
