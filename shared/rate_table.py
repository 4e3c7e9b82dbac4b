"""A bundle's measured operating points (`rates.json`), from which the base station takes what meets a target.

Accuracy by average SNR (Es/N0, dB, on AWGN) and number of image tokens, all of their channel uses sent.
"""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.config import ChannelConfig, RateConfig

RATES_FILE: Final = "rates.json"


class RateTableError(ValueError):
    """Rates that cannot be used; one line that names the file and what is wrong."""


class MeasuredPoint(BaseModel):
    """One measurement. `image_tokens` None: all of them; `n`: how many questions."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    snr_db: float = Field(ge=-50.0, le=100.0)
    image_tokens: int | None = Field(ge=1)
    accuracy: float = Field(ge=0.0, le=1.0)
    n: int = Field(ge=1)


class RateTable(BaseModel):
    """`fingerprint`: of the weights that were measured. For every SNR there is a point with all tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fingerprint: str
    points: tuple[MeasuredPoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        whole = {point.snr_db for point in self.points if point.image_tokens is None}
        for point in self.points:
            if point.snr_db not in whole:
                raise ValueError(f"points: at {point.snr_db:g} dB there is none with all image tokens")
        return self

    def image_tokens_at(self, snr_db: float, target: float) -> int | None:
        """The fewest tokens that gave at least `target` of what all give, at the next lower SNR measured.

        Below all of them: at the lowest. None: all tokens.
        """
        known = sorted({point.snr_db for point in self.points})
        nearest = max((snr for snr in known if snr <= snr_db), default=known[0])
        here = [point for point in self.points if point.snr_db == nearest]
        (whole,) = (point.accuracy for point in here if point.image_tokens is None)
        enough = (p.image_tokens for p in here if p.image_tokens and p.accuracy >= target * whole)
        return min(enough, default=None)

    def meet(self, rate: RateConfig, channel: ChannelConfig, users: int) -> RateConfig:
        """A rate whose target is turned into a number of tokens for each user, by its average SNR."""
        if rate.target is None:
            return rate
        chosen = tuple(self.image_tokens_at(channel.snr_db_of(user), rate.target) for user in range(users))
        return rate.model_copy(update={"target": None, "image_tokens": chosen})


def read_rates(folder: Path, fingerprint: str) -> RateTable:
    """The rates of the bundle in `folder`, whose weights have that fingerprint. Raises `RateTableError`."""
    path = folder / RATES_FILE
    try:
        table = RateTable.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise RateTableError(f"{path}: no such file; `m4sc bundle rates` makes it of measured rows") from None
    except (ValidationError, OSError) as error:
        raise RateTableError(f"{path}: {' '.join(str(error).split())[:300]}") from None
    if table.fingerprint != fingerprint:
        raise RateTableError(
            f"{path}: of other weights, {table.fingerprint[:16]} instead of {fingerprint[:16]}"
        )
    return table
