"""A bundle's measured numbers: `card.json` for machines, and the table made from it in README.md.

    {"format": 1, "fingerprint": "...", "entries": [
        {"name": "held-out scenes", "config": "vqa_heldout", "overrides": [], "metric": "accuracy.vqa.macro",
         "value": 0.788, "low": 0.756, "high": 0.817, "n": 480}]}

An entry says which shipped configuration, with which overrides, gave a number, and where in the run's
`summary.json` it stands: `metric` is a path to an object with `accuracy`, `interval95` and `total`. Entries
with the same configuration and overrides come from one run. `m4sc bundle verify` runs them again. The card is
no part of the fingerprint; it names the fingerprint of the weights that were measured.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from launch.errors import LaunchError
from launch.figures import figure_of
from shared.semantic.bundle import CARD_FILE, Bundle

CARD_JSON = "card.json"
FORMAT: Final = 1
_HEADING = "## Measured"
_OWN_KEYS = ("bundle",)


class CardError(LaunchError):
    """A card that cannot be used; one line that names the file and the field."""


class CardEntry(BaseModel):
    """One measured number. `config` is a shipped configuration's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(min_length=1, max_length=120, pattern=r"^[^|\n]*$")
    config: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    overrides: tuple[str, ...] = ()
    metric: str = Field(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$")
    value: float = Field(ge=0.0, le=1.0)
    low: float = Field(ge=0.0, le=1.0)
    high: float = Field(ge=0.0, le=1.0)
    n: int = Field(ge=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value: {self.value} is outside its interval {self.low} to {self.high}")
        for override in self.overrides:
            if override.partition("=")[0].strip() in _OWN_KEYS:
                raise ValueError(f"overrides: {override!r}: the bundle measured is the one the card lies in")
        return self

    @property
    def run(self) -> tuple[str, tuple[str, ...]]:
        """What produced it: entries with equal runs share one."""
        return self.config, self.overrides

    @property
    def command(self) -> str:
        return " ".join(["m4sc run", self.config, *(f"--set {override}" for override in self.overrides)])


class Card(BaseModel):
    """All numbers of a bundle. `fingerprint` is that of the weights they belong to."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal[1] = FORMAT
    fingerprint: str = Field(pattern="^[0-9a-f]{64}$")
    entries: tuple[CardEntry, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [entry.name for entry in self.entries]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"entries: two are named {name!r}")
        return self


def read_card(bundle_dir: Path) -> Card | None:
    """A bundle's card, None when it has none. Raises `CardError`."""
    path = bundle_dir / CARD_JSON
    if not path.exists():
        return None
    try:
        return Card.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        raise CardError(f"{path}: {_first(error)}") from None


def write_card(bundle_dir: Path, entries: Sequence[CardEntry], text: str | None = None) -> Card:
    """Write card.json, and its table into README.md's section 'Measured', for the weights as they are.

    `text` is all of README.md (None: what is there); its section 'Measured', if it has one, is replaced up to
    the next heading of the same level. Raises `CardError`, `BundleError` or OSError.
    """
    bundle_dir = Path(bundle_dir)
    try:
        card = Card(fingerprint=Bundle.load(bundle_dir).fingerprint, entries=tuple(entries))
    except ValidationError as error:
        raise CardError(f"{bundle_dir / CARD_JSON}: {_first(error)}") from None
    readme = bundle_dir / CARD_FILE
    if text is None:
        text = readme.read_text(encoding="utf-8") if readme.exists() else f"# {bundle_dir.name}\n"
    _replace(readme, with_table(text, card))
    _replace(bundle_dir / CARD_JSON, json.dumps(card.model_dump(mode="json"), indent=2) + "\n")
    return card


def entry_from(
    summary: Mapping[str, Any], name: str, config: str, metric: str, overrides: Sequence[str] = ()
) -> CardEntry:
    """The entry that a run's summary gives. Raises `LaunchError`."""
    figure = figure_of(summary, metric)
    try:
        return CardEntry(
            name=name, config=config, overrides=tuple(overrides), metric=metric, **figure._asdict()
        )
    except ValidationError as error:
        raise CardError(f"entry {name!r}: {_first(error)}") from None


def with_table(text: str, card: Card) -> str:
    """README.md with the section 'Measured' made from a card."""
    section = f"{_HEADING}\n\n{_table(card)}\n"
    lines = text.rstrip("\n").split("\n")
    starts = [number for number, line in enumerate(lines) if line.strip() == _HEADING]
    if not starts:
        return "\n".join(lines) + f"\n\n{section}"
    start = starts[0]
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith(("# ", "## "))), len(lines))
    rest = "\n".join(lines[end:])
    return "\n".join([*lines[:start], section]) + (f"\n{rest}\n" if rest else "")


def _table(card: Card) -> str:
    rows = "\n".join(
        f"| {entry.name} | {100 * entry.value:.1f}% ({100 * entry.low:.1f} to {100 * entry.high:.1f}) "
        f"| {entry.n:,} | `{entry.command}` | `{entry.metric}` |"
        for entry in card.entries
    )
    return f"""| what | value (95% interval) | n | run | in summary.json |
|---|---|---|---|---|
{rows}

Every line is a run through the processes, of the weights with fingerprint `{card.fingerprint}`.
`m4sc bundle verify` runs them again and compares."""


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".tmp")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    message = " ".join(first["msg"].removeprefix("Value error, ").split())
    return f"{place}: {message}" if place else message
