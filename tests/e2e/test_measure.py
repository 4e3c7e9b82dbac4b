"""`m4sc measure` as a person gets it: two users, one image, with sharing and without, through processes."""

import json
from pathlib import Path

import pytest

from tests.e2e.helpers import Workplace
from tests.unit.launch.training.tiny import plain_pictures

pytestmark = pytest.mark.timeout(240)


def test_what_two_users_share_is_sent_once(real: Workplace) -> None:
    plain_pictures(real.folder / "clevr-style-heldout", "heldout", 4)
    options = ("measure", "--out", "m", "--users", "2", "--overlap", "1", "--points", "16x4")
    options += ("--sharing", "on,off", "--requests", "4", "--data", str(real.folder), "--json")
    done = real.run(*options, timeout_s=200)
    assert done.returncode == 0, done.stderr
    shared, alone = json.loads(done.stdout)
    assert (shared["attempted"], shared["answered"]) == (4, 4)
    groups, image = 2, 16 * 7
    assert shared["image_uses"] == image
    own = alone["downlink_uses"] - 4 * image  # texts and maps, as without sharing
    assert shared["downlink_uses"] <= 1.02 * (groups * image + own)
    assert shared["public_uses"] >= groups * image
    assert shared["uses_against_alone"] == shared["downlink_uses"] / alone["downlink_uses"]
    assert (real.folder / "m" / "measure.csv").read_text().count("\n") == 3

    began = (Path(real.folder) / "m" / "rows" / shared["row"] / "summary.json").stat().st_mtime_ns
    again = real.run(*options, timeout_s=60)
    assert json.loads(again.stdout) == [shared, alone]
    assert (Path(real.folder) / "m" / "rows" / shared["row"] / "summary.json").stat().st_mtime_ns == began


def test_bad_input_is_one_line(real: Workplace) -> None:
    for options, message in (
        (("--points", "some"), "--points some: expected"),
        (("--snr", "loud"), "--snr loud: expected numbers"),
        (("--users", "0"), "--users 0: expected numbers from 1"),
        (("--set", "users=3"), "--set users=3: users is what the rows differ in"),
        (("--config", "nowhere"), "nowhere: no such configuration"),
    ):
        done = real.run("measure", "--out", "m", *options)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (real.folder / "m").exists()
