"""What a check has to say: faults make a run invalid, doubts leave it unknown."""

from dataclasses import dataclass, field

MAX_PER_KIND = 5
"""Findings of one kind that are written out; the rest are counted."""


@dataclass
class Findings:
    """Collects lines for people, and keeps a broken run's report readable."""

    faults: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=dict)

    def fault(self, kind: str, line: str) -> None:
        """A rule is broken."""
        self._add(self.faults, kind, line)

    def doubt(self, kind: str, line: str) -> None:
        """Something that must be known is not."""
        self._add(self.doubts, kind, line)

    def lines(self) -> list[str]:
        """All findings, faults first, then how many were left out."""
        more = [
            f"{kind}: {count - MAX_PER_KIND} more like this"
            for kind, count in self._told.items()
            if count > MAX_PER_KIND
        ]
        return [*self.faults, *self.doubts, *more]

    def _add(self, where: list[str], kind: str, line: str) -> None:
        self._told[kind] = self._told.get(kind, 0) + 1
        if self._told[kind] <= MAX_PER_KIND:
            where.append(f"{kind}: {line}")
