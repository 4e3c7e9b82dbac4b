"""What a fault sees and what it may say."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from shared.config import FaultConfig
from shared.rng import derive_seed
from shared.wire.messages import Message


@dataclass(frozen=True, slots=True)
class Passing:
    """One message on its way to one receiver.

    `link` names it and everything a fault may draw on: (user, direction). `name` is the identity of the
    message, and `occurrence` how often that very message has crossed this link before: so the n-th repeat of
    an answer has its own fate, and no fate depends on the order in which users' messages arrive.
    """

    user: int
    direction: str  # 'down' or 'up'
    klass: str  # public, private, side, control or feedback
    name: str
    occurrence: int
    message: Message


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the message: `lost` is the reason by which the drop is counted, or empty."""

    lost: str = ""


UNHARMED: Final = Fate()


class Fault(ABC):
    """A fault of one run. Its fates are pure functions of (seed, fault, passing): it keeps no state.

    `seed` belongs to this fault alone; two faults of one name in a configuration get different ones.
    """

    def __init__(self, config: FaultConfig, seed: int) -> None:
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

    def uniform(self, passing: Passing) -> float:
        """A number in [0, 1) of this fault for this passing: the same in every run of the same seed."""
        words = derive_seed(self._seed, passing.user, passing.direction, passing.name, passing.occurrence)
        return (words >> 75) * 2.0**-53  # 53 of the 128 bits: all that a float holds
