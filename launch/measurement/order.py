"""What a person asked of a sweep: one configuration, run at several places that differ in a few keys."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from launch.bundles.rerun import DataSets, NoData, run_config
from launch.cluster_check import checked
from launch.commands.common import find_config
from launch.errors import LaunchError
from launch.folder_lock import hold
from launch.order_file import ORDER_FILE, claim
from shared.config import RunConfig
from shared.config_file import load_config
from shared.shipped import bundle_folder

ROWS_FOLDER = "rows"


class Placed(Protocol):
    """One run of a sweep: its folder's name, and what it sets of the configuration."""

    @property
    def name(self) -> str: ...
    @property
    def overrides(self) -> tuple[str, ...]: ...


P = TypeVar("P", bound=Placed)


@dataclass(frozen=True, slots=True)
class Order(Generic[P]):
    """`config` is a path or the name of a shipped configuration; `weights`: bundles of schemes that do not
    use `bundle`, by scheme."""

    config: str
    overrides: tuple[str, ...]
    bundle: Path
    places: tuple[P, ...]
    sets: DataSets
    out: Path
    weights: Mapping[str, Path] = field(default_factory=dict)

    def overrides_of(self, place: P) -> tuple[str, ...]:
        return (*self.overrides, *place.overrides)

    def config_of(self, place: P) -> RunConfig:
        """Raises `ConfigError`, or `LaunchError` where its data is not on this machine."""
        sets = self.overrides_of(place)
        scheme = load_config(find_config(self.config), sets).scheme
        try:
            return checked(run_config(self.weights.get(scheme, self.bundle), self.config, sets, self.sets))
        except NoData as error:
            raise LaunchError(f"{place.name}: the run needs {error}") from None

    def folder_of(self, place: P) -> Path:
        return self.out / ROWS_FOLDER / place.name

    def command_of(self, place: P) -> str:
        """What a person types to have this row's run alone."""
        config = self.config_of(place)
        found = [] if config.workload.root is None else [f"workload.root={config.workload.root}"]
        found += [f"bundle={config.bundle}"] if config.scheme in self.weights else []
        sets = [word for o in (*self.overrides_of(place), *found) for word in ("--set", o)]
        return shlex.join(["m4sc", "run", self.config, *sets])


def plan_order(
    config: str,
    overrides: Sequence[str],
    places: Sequence[P],
    sets: DataSets,
    out: Path,
    weights: Mapping[str, Path] | None = None,
) -> Order[P]:
    """Checks every place. Raises `LaunchError`, `ConfigError` or `BundleError`, one line."""
    bundle = bundle_folder(load_config(find_config(config), tuple(overrides)).bundle)
    wanted = Order(config, tuple(overrides), bundle, tuple(places), sets, out, weights or {})
    for place in places:
        wanted.config_of(place)
    return wanted


def claim_folder(wanted: Order[P]) -> None:
    """An order's folder is its own. Raises `LaunchError`."""
    asked: dict[str, object] = {
        "config": wanted.config,
        "set": " ".join(wanted.overrides),
        "bundle": str(wanted.bundle.absolute()),
    }
    claim(wanted.out, asked, resume=(wanted.out / ORDER_FILE).exists())
    hold(wanted.out)


def make_order(
    config: str, overrides: Sequence[str], places: Sequence[P], sets: DataSets, out: Path
) -> Order[P]:
    """Checks every place and claims the folder. Raises `LaunchError`, `ConfigError` or `BundleError`."""
    wanted = plan_order(config, overrides, places, sets, out)
    claim_folder(wanted)
    return wanted


def check_own_keys(overrides: Sequence[str], own: Sequence[str]) -> None:
    """What the places set is not set beside it. Raises `LaunchError`."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key in own:
            raise LaunchError(f"--set {override}: {key} is what the rows differ in, expected another option")
