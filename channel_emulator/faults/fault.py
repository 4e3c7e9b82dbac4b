"""What a fault sees and what it may say."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from channel_emulator.physics.air_change import AirChange
from shared.fault_config import Aim
from shared.rng import derive_seed
from shared.wire.damage import HeaderErrors
from shared.wire.messages import Message

Config = TypeVar("Config", bound=Aim)
Damage = Callable[[Message], Message]


@dataclass(frozen=True, slots=True)
class Passing:
    """One message on its way to one receiver, at `now_s`.

    `name` is the identity of the message, and `occurrence` how often that very message has crossed this link
    before: so the n-th repeat of an answer has its own fate, and no fate depends on the order in which
    users' messages arrive. `elapsed_s`: since the run's first message. `on_air`: its samples pass the air.
    """

    user: int
    direction: str  # 'down' or 'up'
    klass: str  # public, private, side, control or feedback
    name: str
    occurrence: int
    message: Message
    now_s: float = 0.0
    elapsed_s: float = 0.0
    on_air: bool = False

    @property
    def link(self) -> tuple[int, str]:
        return self.user, self.direction


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the message.

    `lost`: the reason by which the drop is counted, or empty. It comes `delay_s` later and `copies` times
    more, each copy as `damage` makes it and with `header` errors. `air`: what else its samples meet.
    """

    lost: str = ""
    delay_s: float = 0.0
    copies: int = 0
    damage: Damage | None = None
    header: HeaderErrors | None = None
    air: tuple[AirChange, ...] = ()

    @property
    def harmed(self) -> bool:
        return self != UNHARMED

    def then(self, other: "Fate") -> "Fate":
        """Both, one after the other."""
        damages = [damage for damage in (self.damage, other.damage) if damage is not None]
        both = _in_turn(damages) if len(damages) == 2 else next(iter(damages), None)
        copies = (1 + self.copies) * (1 + other.copies) - 1
        return Fate(
            self.lost or other.lost,
            self.delay_s + other.delay_s,
            copies,
            both,
            self.header or other.header,  # which cannot be read, whatever else is wrong with it
            self.air + other.air,
        )


def _in_turn(damages: list[Damage]) -> Damage:
    first, second = damages
    return lambda message: second(first(message))


UNHARMED: Final = Fate()


class Fault(ABC, Generic[Config]):
    """A fault of one run. Its fates are functions of seed, fault, and what passed the same link before.

    `seed` belongs to this fault alone; two faults of one name in a configuration get different ones.
    """

    def __init__(self, config: Config, seed: int) -> None:
        self._config = config
        self._seed = seed

    def meets(self, passing: Passing) -> bool:
        """Whether the configuration aims at this message: direction, class and user."""
        config = self._config
        return (
            config.direction in (passing.direction, "both")
            and passing.klass in config.classes
            and (config.users is None or passing.user in config.users)
        )

    @abstractmethod
    def strike(self, passing: Passing) -> Fate:
        """The fate of a message that this fault meets."""

    def uniform(self, passing: Passing, purpose: str = "") -> float:
        """A number in [0, 1) of this fault for this passing: the same in every run of the same seed."""
        return (self.words(passing, purpose) >> 75) * 2.0**-53  # 53 of the 128 bits: all that a float holds

    def words(self, passing: Passing, purpose: str = "") -> int:
        """128 random bits of this fault for this passing."""
        names = (passing.user, passing.direction, passing.name, passing.occurrence)
        return derive_seed(self._seed, *names, *((purpose,) if purpose else ()))


class AirFault(Fault[Config]):
    """A fault of the air: it meets what passes there as samples, each reception by itself."""

    def meets(self, passing: Passing) -> bool:
        return passing.on_air and super().meets(passing)
