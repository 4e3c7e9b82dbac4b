"""What a person asked of a sweep: one configuration, run at several places that differ in a few keys."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from launch.bundles.rerun import DataSets, NoData, run_config
from launch.cluster_check import checked
from launch.commands.common import find_config
from launch.errors import LaunchError
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
    """`config` is a path or the name of a shipped configuration."""

    config: str
    overrides: tuple[str, ...]
    bundle: Path
    places: tuple[P, ...]
    sets: DataSets
    out: Path

    def overrides_of(self, place: P) -> tuple[str, ...]:
        return (*self.overrides, *place.overrides)

    def config_of(self, place: P) -> RunConfig:
        """Raises `ConfigError`, or `LaunchError` where its data is not on this machine."""
        try:
            return checked(run_config(self.bundle, self.config, self.overrides_of(place), self.sets))
        except NoData as error:
            raise LaunchError(f"{place.name}: the run needs {error}") from None

    def folder_of(self, place: P) -> Path:
        return self.out / ROWS_FOLDER / place.name

    def command_of(self, place: P) -> str:
        """What a person types to have this row's run alone."""
        config = self.config_of(place)
        root = () if config.workload.root is None else (f"workload.root={config.workload.root}",)
        sets = [word for o in (*self.overrides_of(place), *root) for word in ("--set", o)]
        return shlex.join(["m4sc", "run", self.config, *sets])


def make_order(
    config: str, overrides: Sequence[str], places: Sequence[P], sets: DataSets, out: Path
) -> Order[P]:
    """Claims the folder. Raises `LaunchError`, `ConfigError` or `BundleError`, one line."""
    base = load_config(find_config(config), tuple(overrides))
    wanted = Order(config, tuple(overrides), bundle_folder(base.bundle), tuple(places), sets, out)
    for place in places:
        wanted.config_of(place)
    first = wanted.config_of(places[0])
    asked: dict[str, object] = {"config": config, "set": " ".join(overrides), "bundle": first.bundle}
    claim(out, asked, resume=(out / ORDER_FILE).exists())
    return wanted


def check_own_keys(overrides: Sequence[str], own: Sequence[str]) -> None:
    """What the places set is not set beside it. Raises `LaunchError`."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key in own:
            raise LaunchError(f"--set {override}: {key} is what the rows differ in, expected another option")
