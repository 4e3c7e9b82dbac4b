"""A scenario: a schedule of faults, written or drawn, that ends with a heal; and a run under it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from launch.chaos.entries import AnyFault, fault_of, healed_by, with_faults
from launch.chaos.nemesis import Nemesis, draw
from launch.shipped_files import find_shipped
from shared.config import RunConfig
from shared.config_file import ConfigError, first_error, read_map

SCENARIOS = Path(__file__).resolve().parent / "scenarios"


class ScenarioFile(BaseModel):
    """A scenario's YAML. Times count from the first request on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    seed: int | None = Field(None, ge=0)
    """In the place of the run's."""
    faults: Annotated[tuple[dict[str, Any], ...], Field(max_length=512)] = ()
    """Each with its parameters, when, and on what."""
    nemesis: Nemesis | None = None
    """Faults that are drawn, beside these or alone."""
    heal_s: float = Field(gt=0.0, le=1e6)
    """When all faults end."""
    drain_s: float = Field(10.0, ge=0.0, le=3_600.0)
    """Who asks later than this after `heal_s` must be answered."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read: its faults checked, its nemesis not yet drawn."""

    path: Path
    file: ScenarioFile
    faults: tuple[AnyFault, ...]

    def seed_of(self, config: RunConfig, seed: int | None) -> int:
        """The one asked for, else the scenario's, else the run's."""
        return next(s for s in (seed, self.file.seed, config.seed) if s is not None)

    def under(self, config: RunConfig, seed: int | None = None) -> RunConfig:
        """The run with this scenario's faults, those of the nemesis drawn. Raises `ConfigError`."""
        chosen = self.seed_of(config, seed)
        faults = list(self.faults)
        if self.file.nemesis is not None:
            faults += draw(self.file.nemesis, chosen, config.users, self.file.heal_s, faults)
        _check_length(config, self.file, str(self.path))
        healed = {"heal_s": self.file.heal_s, "drain_s": self.file.drain_s}
        chaos = {"scenario": self.path.stem, **healed}
        return with_faults(config, faults, str(self.path), seed=chosen, chaos=chaos)


def read_scenario(name: str, base: Path = SCENARIOS) -> Scenario:
    """A path, or the name of a shipped scenario. Raises `ConfigError`, one line that names the key."""
    path = find_shipped(name, base, "scenario")
    try:
        file = ScenarioFile.model_validate(read_map(path, "scenario"))
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_error(error, ScenarioFile)}") from None
    faults = []
    for number, entry in enumerate(file.faults):
        where = f"{path}: faults.{number}"
        faults.append(healed_by(fault_of(entry, where), file.heal_s, where))
    if not faults and file.nemesis is None:
        raise ConfigError(f"{path}: expected faults, a nemesis, or both")
    if file.nemesis is not None:
        file.nemesis.check(file.heal_s, f"{path}: nemesis")
    return Scenario(path, file, tuple(faults))


def _check_length(config: RunConfig, file: ScenarioFile, where: str) -> None:
    """Somebody must still ask when everything has to be well again."""
    rates, well_s = config.workload.rates_per_s, file.heal_s + file.drain_s
    if len(rates) != 1:
        raise ConfigError(f"{where}: needs a workload in time, expected one workload.requests_per_s")
    (rate,) = rates
    requests = min(config.workload.requests, config.workload.limit or config.workload.requests)
    lasts_s = requests / rate
    if lasts_s <= well_s:
        raise ConfigError(
            f"{where}: {requests} requests at {rate:g} a second end after {lasts_s:g} s, "
            f"expected more than heal_s + drain_s = {well_s:g} s (workload.requests)"
        )
