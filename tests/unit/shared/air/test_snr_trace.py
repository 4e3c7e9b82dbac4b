"""A trace without gaps is what each user hears; any other is refused in one line."""

from pathlib import Path

import pytest

from shared.air.snr_trace import read_snr_trace
from shared.config import RunConfig
from shared.config_file import ConfigError, load_config, parse_config

TRACE = "first_use,user,snr_db\n0,0,15\n0,1,10\n500,0,-3.5\n2000,0,20\n"


def configured(tmp_path: Path, text: str, users: int = 2) -> RunConfig:
    (tmp_path / "trace.csv").write_text(text)
    channel = {"snr_db": 12.0, "snr_trace": str(tmp_path / "trace.csv")}
    return parse_config({"users": users, "channel": channel}, "test")


def test_a_step_holds_until_the_users_next_one(tmp_path: Path) -> None:
    channel = configured(tmp_path, TRACE).channel
    assert [channel.snr_db_at(0, use) for use in (0, 499, 500, 1_999, 2_000, 10**9)] == [
        15, 15, -3.5, -3.5, 20, 20,
    ]  # fmt: skip
    assert channel.snr_db_at(1, 10**9) == 10
    assert channel.snr_db_of(0) == 12


def test_without_a_trace_it_is_the_average() -> None:
    channel = parse_config({"users": 2, "channel": {"snr_db": [3.0, 4.0]}}, "test").channel
    assert channel.snr_db_at(1, 77) == 4


def test_a_run_folder_needs_the_file_no_more(tmp_path: Path) -> None:
    import yaml

    config = configured(tmp_path, TRACE)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    (tmp_path / "trace.csv").unlink()
    assert load_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected first_use,user,snr_db"),
        ("use,user,snr\n", "line 1: expected first_use,user,snr_db"),
        ("first_use,user,snr_db\n0,0\n", "line 2: expected 3 fields, found 2"),
        ("first_use,user,snr_db\n0,0,loud\n", "line 2: expected two whole numbers and a number"),
        ("first_use,user,snr_db\n0,0,nan\n0,1,3\n", "channel.snr_trace.0.2: Input should be a finite number"),
        ("first_use,user,snr_db\n0,0,300\n0,1,3\n", "300.0 dB, expected"),
        ("first_use,user,snr_db\n5,0,3\n0,1,3\n", "user 0: a gap before channel use 5"),
        ("first_use,user,snr_db\n0,0,3\n", "user 1: no step"),
        ("first_use,user,snr_db\n0,0,3\n0,1,3\n0,2,3\n", "user 2: expected 0 to 1"),
        ("first_use,user,snr_db\n0,0,3\n0,1,3\n9,0,3\n9,0,4\n", "channel use 9 comes after 9"),
    ],
)
def test_other_traces_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"channel\.snr_trace") as raised:
        configured(tmp_path, text)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.csv: cannot be read"):
        read_snr_trace(tmp_path / "nowhere.csv")
