"""`m4sc experiment erasures` in short, through processes: whole, and with a third of all tokens lost."""

import json

import pytest

from tests.e2e.helpers import Workplace
from tests.unit.launch.training.tiny import plain_pictures

pytestmark = pytest.mark.timeout(240)
REQUESTS = 6


def test_what_is_lost_is_counted_and_said(real: Workplace) -> None:
    plain_pictures(real.folder / "clevr-style-heldout", "heldout", 6)
    options = ("experiment", "erasures", "--out", "e", "--loss", "0,30", "--kinds", "bernoulli")
    options += ("--requests", str(REQUESTS), "--set", "users=2", "--data", str(real.folder), "--json")
    done = real.run(*options, timeout_s=200)
    assert done.returncode == 0, done.stderr
    whole, lossy = json.loads(done.stdout)
    assert (whole["answered"], whole["degraded"], whole["erased_tokens"]) == (REQUESTS, 0, 0)
    assert (lossy["answered"], lossy["degraded"]) == (0, REQUESTS)
    assert lossy["sent_tokens"] == whole["sent_tokens"]
    n = lossy["sent_tokens"]
    assert n > 100 * REQUESTS
    assert lossy["erased_share"] == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / n) ** 0.5)
    assert (real.folder / "e" / "erasures.png").stat().st_size > 10_000

    bad = real.run("experiment", "erasures", "--out", "x", "--loss", "much")
    assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
    assert "--loss much: expected numbers" in bad.stderr
    assert not (real.folder / "x").exists()
