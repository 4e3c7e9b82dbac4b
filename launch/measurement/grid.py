"""Which runs make up a measurement: all combinations of users, overlap, SNR, operating point and sharing."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

from launch.errors import LaunchError
from launch.measurement.points import PICTURE_KEYS, POINT_KEYS, Point

_AXES: Final = ("users", "workload.overlap", "channel.snr_db", "sharing.enabled")
OWN_KEYS: Final = (*_AXES, *POINT_KEYS, *PICTURE_KEYS)
"""What the grid sets of a configuration."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the grid."""

    users: int
    overlap: float
    snr_db: float
    point: Point
    sharing: bool

    @property
    def name(self) -> str:
        """As a folder's name."""
        sharing = "sharing" if self.sharing else "alone"
        point = self.point.label.replace(":", "-")
        return f"users{self.users}-overlap{self.overlap:g}-snr{self.snr_db:g}-{point}-{sharing}"

    @property
    def overrides(self) -> tuple[str, ...]:
        values = (self.users, f"{self.overlap:g}", f"{self.snr_db:g}", str(self.sharing).lower())
        axes = (f"{key}={value}" for key, value in zip(_AXES, values, strict=True))
        return (*axes, *self.point.overrides)


def grid(
    users: Iterable[int],
    overlaps: Iterable[float],
    snrs_db: Iterable[float],
    points: Iterable[Point],
    sharing: Iterable[bool],
) -> list[Place]:
    """All rows, each once. An overlap of fewer than two users is none: such rows are those of overlap 0."""
    found: dict[Place, None] = {}
    for user_count, overlap, snr_db, point, on in product(users, overlaps, snrs_db, points, sharing):
        meets = overlap if round(overlap * user_count) >= 2 else 0.0
        found[Place(user_count, meets, snr_db, point, on)] = None
    return list(found)


def numbers(option: str, text: str, low: float, high: float) -> list[float]:
    """A list with commas, each within [low, high], each once. Raises `LaunchError`."""
    found: dict[float, None] = {}
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            raise LaunchError(
                f"{option} {text}: expected numbers with commas between, found {part!r}"
            ) from None
        if not low <= value <= high:
            raise LaunchError(f"{option} {text}: expected numbers from {low:g} to {high:g}, found {part}")
        found[value] = None
    return list(found)


def whole_numbers(option: str, text: str, low: int, high: int) -> list[int]:
    """As `numbers`, without fractions. Raises `LaunchError`."""
    values = numbers(option, text, low, high)
    for value in values:
        if value != int(value):
            raise LaunchError(f"{option} {text}: expected whole numbers, found {value:g}")
    return [int(value) for value in values]


def switches(option: str, text: str) -> list[bool]:
    """`on`, `off` or both with a comma. Raises `LaunchError`."""
    words = text.split(",")
    for word in words:
        if word not in ("on", "off"):
            raise LaunchError(f"{option} {text}: expected on, off or on,off")
    return list(dict.fromkeys(word == "on" for word in words))
