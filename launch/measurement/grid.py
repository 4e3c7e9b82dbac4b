"""Which runs make up a measurement: all combinations of users, overlap, SNR, operating point and sharing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

from launch.errors import LaunchError
from shared.rate import EIGHTHS

OWN_KEYS: Final = (
    "users",
    "workload.overlap",
    "channel.snr_db",
    "rate.image_tokens",
    "rate.image_eighths",
    "sharing.enabled",
)
"""What the grid sets of a configuration."""
_POINT = re.compile(r"(all|[1-9][0-9]{0,5})(?:x([1-8]))?")


@dataclass(frozen=True, slots=True)
class Point:
    """An operating point: image tokens that are sent (None: all) and eighths of each one's channel uses."""

    image_tokens: int | None = None
    image_eighths: int = EIGHTHS

    @classmethod
    def parse(cls, text: str) -> "Point":
        """`all`, `16` or, with eighths, `16x4`. Raises `LaunchError`."""
        found = _POINT.fullmatch(text.strip())
        if found is None:
            raise LaunchError(
                f"--points {text}: expected all, a number of image tokens, or either with 'x' and 1 to 8 "
                "eighths of a token's channel uses: all,36,18,36x4"
            )
        tokens, eighths = found.groups()
        return cls(None if tokens == "all" else int(tokens), EIGHTHS if eighths is None else int(eighths))

    @property
    def label(self) -> str:
        tokens = "all" if self.image_tokens is None else str(self.image_tokens)
        return tokens if self.image_eighths == EIGHTHS else f"{tokens}x{self.image_eighths}"


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
        return f"users{self.users}-overlap{self.overlap:g}-snr{self.snr_db:g}-{self.point.label}-{sharing}"

    @property
    def overrides(self) -> tuple[str, ...]:
        tokens = self.point.image_tokens
        values = (
            self.users,
            f"{self.overlap:g}",
            f"{self.snr_db:g}",
            "null" if tokens is None else tokens,
            self.point.image_eighths,
            str(self.sharing).lower(),
        )
        return tuple(f"{key}={value}" for key, value in zip(OWN_KEYS, values, strict=True))


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
