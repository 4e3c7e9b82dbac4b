"""What a person types becomes rows, each once; what makes no row is said in one line."""

import pytest

from launch.errors import LaunchError
from launch.measurement.grid import (
    OWN_KEYS,
    Place,
    grid,
    numbers,
    switches,
    whole_numbers,
)
from launch.measurement.order import check_own_keys
from launch.measurement.points import Point
from shared.config_file import parse_config


def test_an_overlap_of_one_user_is_none_and_every_row_is_there_once() -> None:
    places = grid([1, 2, 8], [0.0, 0.25, 1.0], [15.0], [Point(), Point.parse("16")], [True])
    assert [(p.users, p.overlap) for p in places if p.point == Point()] == [
        (1, 0.0),
        (2, 0.0),
        (2, 1.0),
        (8, 0.0),
        (8, 0.25),
        (8, 1.0),
    ]
    assert len(places) == len(set(places)) == 12
    assert len({p.name for p in places}) == 12


def test_a_place_is_a_configuration() -> None:
    overrides = dict(o.split("=") for o in Place(8, 0.5, -5.0, Point.parse("16x4"), False).overrides)
    assert overrides == {
        "users": "8",
        "workload.overlap": "0.5",
        "channel.snr_db": "-5",
        "scheme": "m4sc",
        "rate.image_tokens": "16",
        "rate.image_eighths": "4",
        "rate.text_eighths": "8",
        "sharing.enabled": "false",
    }
    rate = parse_config({"rate": {"image_tokens": None, "image_eighths": 8}}, "test").rate
    assert (rate.image_tokens, rate.image_eighths) == (None, 8)


def test_lists_are_checked() -> None:
    assert numbers("--snr", "-5,0,0,2.5", -50, 100) == [-5.0, 0.0, 2.5]
    assert whole_numbers("--users", "1,8", 1, 10) == [1, 8]
    assert switches("--sharing", "on,off") == [True, False]
    for bad in ("", "1,,2", "one", "nan", "101"):
        with pytest.raises(LaunchError, match="--snr"):
            numbers("--snr", bad, -50, 100)
    with pytest.raises(LaunchError, match=r"--users 1,2\.5: expected whole numbers"):
        whole_numbers("--users", "1,2.5", 1, 10)
    with pytest.raises(LaunchError, match="--sharing yes"):
        switches("--sharing", "yes")


def test_what_the_rows_differ_in_is_not_set_beside_them() -> None:
    check_own_keys(["seed=3", "channel.model=rayleigh"], OWN_KEYS)
    with pytest.raises(LaunchError, match=r"channel\.snr_db is what the rows differ in"):
        check_own_keys(["channel.snr_db = 3"], OWN_KEYS)
