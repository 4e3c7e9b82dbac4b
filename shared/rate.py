"""Operating points: how many of a token's channel uses are sent.

Every prefix of a token's symbols decodes, so one code serves all rates. A prefix is told in eighths of all
channel uses (three bits of the index map), rounded up to whole ones.
"""

from dataclasses import dataclass
from typing import Final, Literal

EIGHTHS: Final = 8


def prefix_uses(uses_per_token: int, eighths: int) -> int:
    """Channel uses that are sent of a token that has `uses_per_token`. Raises ValueError."""
    if not 1 <= eighths <= EIGHTHS:
        raise ValueError(f"eighths: expected 1 to {EIGHTHS}, received {eighths}")
    return -(-uses_per_token * eighths // EIGHTHS)


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Of each token of an image, and of each one of a text, the first so many eighths."""

    image: int = EIGHTHS
    text: int = EIGHTHS

    def uses(self, kind: Literal["image", "text"], uses_per_token: int) -> int:
        """Channel uses that are sent of a token of that kind. Raises ValueError."""
        return prefix_uses(uses_per_token, self.image if kind == "image" else self.text)


WHOLE: Final = Prefixes()
