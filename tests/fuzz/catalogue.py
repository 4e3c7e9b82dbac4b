"""Which targets there are, and what belongs to each."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz import targets

CORPUS: Final = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """One door. `one_input` returns for what the door takes or refuses, and raises for a finding.

    `seeds` are inputs to start from; `tokens`, pieces that mutations insert.
    """

    name: str
    one_input: Callable[[bytes], None]
    seeds: Sequence[bytes]
    tokens: Sequence[bytes]

    def regressions(self) -> list[Path]:
        """Inputs that were findings once, and are none any more."""
        return sorted(path for path in (CORPUS / self.name).glob("*") if path.is_file())


def names() -> list[str]:
    """Of all targets, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


def load(name: str) -> Target:
    """The target of a file in `targets`, or of a module whose full name has dots."""
    module = importlib.import_module(name if "." in name else f"{targets.__name__}.{name}")
    return Target(name, module.one_input, tuple(module.SEEDS), tuple(module.TOKENS))
