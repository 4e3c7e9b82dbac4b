"""Sixteen UEs, and more requests than are served, through processes: nothing is lost, all accounted for."""

import json
from pathlib import Path

import pytest

from launch.experiments.scale import Size, row_of
from launch.resources.use import read_resources
from launch.run_files import read_run
from launch.runfolder import read_summary
from tests.e2e.helpers import Workplace
from tests.unit.launch.training.tiny import plain_pictures

pytestmark = pytest.mark.timeout(240)
USERS = 16


def test_an_overload_is_refused_as_busy_and_nothing_is_lost(real: Workplace) -> None:
    """Twice as many requests as may be open, in a fifth of a second; in the first run no more than may be."""
    plain_pictures(real.folder / "clevr-style-heldout", "heldout", 8)
    options = ("experiment", "load", "--out", "l", "--rates", "30", "--overload", "5", "--json")
    options += ("--requests", str(USERS), "--data", str(real.folder))
    sets = (f"users={USERS}", f"limits.open_requests={USERS}", "workload.limit=8", "resources.every_s=3600")
    options += tuple(word for value in sets for word in ("--set", value))
    done = real.run(*options, timeout_s=200)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["kind"] for row in rows] == ["steady", "before", "over", "after"]
    assert (rows[0]["attempted"], rows[0]["answered"]) == (USERS, USERS)
    assert rows[2]["attempted"] > USERS
    assert rows[2]["busy"] > 0
    for row in rows:
        assert (row["other"], row["lost"]) == (0, 0)
        assert row["answered"] + row["busy"] == row["attempted"]
    for name in ("load.csv", "load.parquet", "load.json", "load.png"):
        assert (real.folder / "l" / name).stat().st_size > 0
    check_samples(real.folder / "l" / "rows" / rows[0]["row"])


def check_samples(run_dir: Path) -> None:
    """Of all UEs, when the workload began and when it was done, however rarely samples are taken."""
    samples = read_resources(run_dir)
    assert len({s.t_s for s in samples if s.role == "ue"}) == 2
    row = row_of(Size(USERS), read_summary(run_dir), read_run(run_dir), samples, "")
    assert row.cpu_ue_s > 0
    assert row.pss_all_mib > USERS * row.pss_ue_mib > 0
