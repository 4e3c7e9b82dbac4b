"""Which operating point a target takes, and rates that cannot be used."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.config import ChannelConfig, RateConfig
from shared.rate_table import RATES_FILE, MeasuredPoint, RateTable, RateTableError, read_rates

MEASURED = {
    (5.0, None): 0.80, (5.0, 50): 0.79, (5.0, 20): 0.70,
    (15.0, None): 0.90, (15.0, 50): 0.91, (15.0, 20): 0.86, (15.0, 10): 0.60,
}  # fmt: skip
TABLE = RateTable(
    fingerprint="f" * 64,
    points=tuple(
        MeasuredPoint(snr_db=snr, image_tokens=k, accuracy=a, n=100) for (snr, k), a in MEASURED.items()
    ),
)


@pytest.mark.parametrize(
    ("snr_db", "target", "tokens"),
    [
        (15.0, 0.95, 20),
        (40.0, 0.95, 20),
        (14.9, 0.95, 50),  # what was measured at 5 dB
        (5.0, 1.0, None),
        (15.0, 1.0, 50),  # as good as all
        (15.0, 0.1, 10),
        (-20.0, 0.95, 50),
    ],
)
def test_the_fewest_tokens_that_meet_the_target_at_the_snr(
    snr_db: float, target: float, tokens: int | None
) -> None:
    assert TABLE.image_tokens_at(snr_db, target) == tokens


def test_every_user_gets_its_own_point() -> None:
    channel = ChannelConfig(snr_db=(20.0, 5.0, 15.0))
    found = TABLE.meet(RateConfig(target=0.95, image_eighths=7), channel, 3)
    assert found == RateConfig(image_tokens=(20, 50, 20), image_eighths=7)
    fixed = RateConfig(image_tokens=16)
    assert TABLE.meet(fixed, channel, 3) is fixed


def test_a_target_and_a_number_of_tokens_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="image_tokens says already"):
        RateConfig(target=0.9, image_tokens=10)


def test_rates_are_read_back_and_bad_ones_named(tmp_path: Path) -> None:
    path = tmp_path / RATES_FILE
    with pytest.raises(RateTableError, match="no such file"):
        read_rates(tmp_path, TABLE.fingerprint)
    path.write_text(TABLE.model_dump_json())
    assert read_rates(tmp_path, TABLE.fingerprint) == TABLE
    with pytest.raises(RateTableError, match="of other weights"):
        read_rates(tmp_path, "0" * 64)
    for text in ("{", '{"fingerprint": "f", "points": []}', TABLE.model_dump_json().replace("null", "30")):
        path.write_text(text)
        with pytest.raises(RateTableError, match=RATES_FILE):
            read_rates(tmp_path, TABLE.fingerprint)
