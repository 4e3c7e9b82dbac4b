"""Commands that make many runs: one Ray and one set of forkservers for all, and nothing of them is left."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from launch.errors import LaunchError
from launch.one_run import run_to_end
from launch.standby import each_on_its_own, shared_by_runs
from shared.config import RunConfig
from shared.config_file import load_config
from tests.e2e.helpers import Workplace, on_a_quiet_machine, wait_until
from tests.e2e.test_signals import ENDLESS, START_S, check_complete, prepare

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def here(tiny: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Runs are made by this process."""
    for name, value in tiny.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tiny.folder)
    prepare(tiny)
    return tiny


def config(place: Workplace, name: str = "plain") -> RunConfig:
    place.write("run.yaml", ENDLESS.replace("bs=endless", name))
    return load_config(place.folder / "run.yaml")


def kept(place: Workplace) -> tuple[set[int], set[int]]:
    """Pids of Ray's servers, and of forkservers that listen."""
    servers = {process.pid for process in place.processes("gcs_server")}
    forkservers = {
        process.pid
        for process in place.processes("launch.forkserver")
        if "launch.standby_process" in " ".join(psutil.Process(process.ppid()).cmdline())
    }
    return servers, forkservers


def test_runs_share_and_a_standby_that_has_ended_is_replaced(here: Workplace) -> None:
    with shared_by_runs():
        first = run_to_end(config(here), here.folder / "first")
        before = kept(here)
        assert (len(before[0]), len(before[1])) == (1, 2)
        second = run_to_end(config(here), here.folder / "second")
        assert kept(here) == before
        assert {role["pid"] for role in first["roles"]}.isdisjoint(role["pid"] for role in second["roles"])
        for name, summary in (("first", first), ("second", second)):
            assert (summary["launch"]["drained"], summary["launch"]["crashes"]) == (True, [])
            assert "ue-1 starts with" in (here.folder / name / "logs" / "ue-1.log").read_text()

        with pytest.raises(LaunchError, match="weights do not fit"):
            run_to_end(config(here, "bs=refuse"), here.folder / "refused")
        assert kept(here) == before

        forkserver = psutil.Process(min(before[1]))
        forkserver.kill()
        wait_until(lambda: not before[1] & set(psutil.pids()), 10.0, "the standby ends with a forkserver")
        run_to_end(config(here), here.folder / "third")
        after = kept(here)
        assert (len(after[0]), len(after[1])) == (1, 2)
        assert not before[0] & after[0]
    assert here.processes() == []


def test_what_cannot_be_started_is_said(here: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    far = here.folder / ("d" * 100)
    far.mkdir()
    monkeypatch.setenv("TMPDIR", str(far))
    with shared_by_runs(), pytest.raises(LaunchError, match=r"cannot be started: .*path too long"):
        run_to_end(config(here), here.folder / "never")
    assert not (here.folder / "never").exists()
    assert here.processes() == []


def test_who_wants_none_gets_none(here: Workplace) -> None:
    with shared_by_runs(), each_on_its_own():
        run_to_end(config(here), here.folder / "alone")
        assert here.processes() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_amid_a_run(tiny: Workplace, number: signal.Signals) -> None:
    prepare(tiny)
    loss = {"fault": "loss", "probability": 0.1}
    tiny.write("calm.yaml", json.dumps({"heal_s": 0.2, "drain_s": 0.0, "faults": [loss]}))
    sets = ("--set", "workload.requests_per_s=1")
    command = tiny.start("chaos", "sweep", "run.yaml", "calm.yaml", "--seeds", "2", "--out", "runs", *sets)
    log = tiny.folder / "stderr.txt"
    wait_until(lambda: "running the workload" in log.read_text(), START_S, "the first run goes on")
    assert (len(kept(tiny)[0]), len(kept(tiny)[1])) == (1, 2)
    limit_s = on_a_quiet_machine(5.0)
    os.kill(command.pid, number)
    tiny.gone_within(limit_s)
    assert command.wait(1.0) == (3 if number == signal.SIGINT else -number)
    command.communicate()
    (run,) = Path(tiny.folder / "runs").glob("seed-*")
    if number == signal.SIGINT:
        check_complete(run, "SIGINT")
