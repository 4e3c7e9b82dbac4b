"""When requests come: at the rates asked for, part by part, and at random as a Poisson process is."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from launch.workload.arrivals import part_s, times_s
from launch.workload.plan import image_count, poisson_plan
from shared.config_file import ConfigError, parse_config


def test_each_part_has_its_share_of_the_time_and_its_rate() -> None:
    rates = (2.0, 8.0, 2.0)
    assert part_s(rates, 120) == 10.0
    times = times_s(range(121), rates, 120)
    assert times[:3] == [0.0, 0.5, 1.0]
    assert times[20:23] == [10.0, 10.125, 10.25]
    assert times[100:102] == [20.0, 20.5]
    assert times[120] == 30.0
    assert times_s([124], rates, 120) == [32.0], "the last part goes on"


def test_poisson_arrivals_have_the_rate_and_the_spread_of_one() -> None:
    slots = poisson_plan(4_000, 4, ["vqa"], 10, seed=5, rates_per_s=(10.0,))
    times = np.array([slot.arrival_s for slot in slots])
    gaps = np.diff(times)
    assert (gaps > 0).all()
    assert gaps.mean() == pytest.approx(0.1, rel=0.05)
    assert gaps.std() == pytest.approx(0.1, rel=0.07)
    counts = np.bincount(times.astype(int))[:-1]
    assert counts.var() == pytest.approx(counts.mean(), rel=0.25)
    of_user = Counter(slot.user for slot in slots)
    assert min(of_user.values()) > 900
    own = np.diff([slot.arrival_s for slot in slots if slot.user == 0])
    assert own.std() == pytest.approx(own.mean(), rel=0.12)


def test_the_same_seed_gives_the_same_arrivals_and_users_keep_their_pictures() -> None:
    first, again, other = (poisson_plan(300, 3, ["vqa"], 6, seed, (2.0, 20.0)) for seed in (1, 1, 2))
    assert first == again
    assert [slot.arrival_s for slot in first] != [slot.arrival_s for slot in other]
    assert [slot.index for slot in first] == list(range(300))
    of_image = {slot.image: slot.user for slot in first}
    assert all(of_image[slot.image] == slot.user for slot in first)
    asked = Counter(slot.image for slot in first)
    assert max(asked.values()) == 6
    assert image_count(first) == len(asked)
    edge_s = part_s((2.0, 20.0), 300)
    early = sum(slot.arrival_s < edge_s for slot in first)
    assert 12 <= early <= 45, "2 a second for 13.6 s"


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        ({"arrivals": "poisson"}, "needs workload.requests_per_s"),
        ({"arrivals": "poisson", "requests_per_s": 2, "overlap": 0.5}, "needs overlap 0"),
        (
            {"arrivals": "poisson", "requests_per_s": 2, "source": "requests_file", "root": "x"},
            "says itself when",
        ),
        ({"requests_per_s": [2, 0]}, "workload.requests_per_s"),
        ({"requests_per_s": []}, "workload.requests_per_s"),
    ],
)
def test_what_cannot_be_is_one_line(workload: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_config({"workload": workload}, "test")
    assert "\n" not in str(caught.value)


def test_one_rate_or_several() -> None:
    for given, rates in ((None, ()), (3, (3.0,)), ([1, 2.5], (1.0, 2.5))):
        config = parse_config({"workload": {"requests_per_s": given}}, "test")
        assert config.workload.rates_per_s == rates
