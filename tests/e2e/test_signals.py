"""Signals and sudden death: within 5 s nothing of a run is left, and its folder is complete.

The bound of 5 s is an idle machine's; on a busy one it grows with the wall time that CPU time takes.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from shared.journal import read_journal
from shared.ledger_files import read_csv
from tests.e2e.helpers import COMPLETE, M4SC, Workplace, on_a_quiet_machine, wait_until

ENDLESS = """
name: bs=endless
users: 2
workload: {source: requests_file, root: requests.jsonl, requests: 1, tasks: [text_classification]}
"""
START_S = 90.0
pytestmark = pytest.mark.timeout(180)


def prepare(place: Workplace) -> Path:
    place.write("run.yaml", ENDLESS)
    place.write("requests.jsonl", '{"task": "text_classification", "text": "a fine film"}\n')
    return place.folder / "out"


def wait_running(out: Path) -> None:
    log = out.parent / "stderr.txt"
    running = "running the workload"
    wait_until(lambda: log.exists() and running in log.read_text(), START_S, running)


def check_complete(out: Path, why: str) -> dict[str, object]:
    assert [name for name in COMPLETE if not (out / name).exists()] == []
    summary: dict[str, object] = json.loads((out / "summary.json").read_text())
    assert summary["verdict"] == "unknown"
    assert summary["launch"]["cut_short"] == why  # type: ignore[index]
    assert read_journal(out / "journal.jsonl").torn == []
    read_csv(out / "ledger.csv")
    assert "<html" in (out / "report.html").read_text()
    return summary


def test_ctrl_c_in_the_foreground(tiny: Workplace) -> None:
    out = prepare(tiny)
    command = tiny.start("run", "run.yaml", "--out", "out")
    wait_running(out)
    assert len(tiny.roles()) == 4
    limit_s = on_a_quiet_machine(5.0)
    os.killpg(command.pid, signal.SIGINT)  # as a terminal does: the whole foreground group
    tiny.gone_within(limit_s)
    assert command.wait(1.0) == 3
    summary = check_complete(out, "SIGINT")
    assert len({role["pid"] for role in summary["roles"]}) == 4  # type: ignore[attr-defined]
    command.communicate()


def test_ctrl_c_amid_faults_on_processes(tiny: Workplace) -> None:
    """One role stands still, one is slowed, one has been replaced, one has left; one has a full disk."""
    out = prepare(tiny)
    faults = [
        {"fault": "pause", "role": "ce", "at_s": 0, "for_s": 600},
        {"fault": "slow", "role": "ue-0", "at_s": 0, "for_s": 600, "cpu_share": 0.05},
        {"fault": "replace", "role": "ue-1", "at_s": 0, "for_s": 600},
        {"fault": "leave", "role": "ue-2", "at_s": 0},
        {"fault": "disk_full", "role": "bs", "at_s": 0, "for_s": 600},
    ]
    text = ENDLESS.replace("bs=endless", "bs=endless ue-0=busy").replace("users: 2", "users: 3")
    tiny.write("run.yaml", text + f"process_faults: {json.dumps(faults)}\n")
    command = tiny.start("run", "run.yaml", "--out", "out")
    wait_running(out)
    wait_until(lambda: begun(out) == len(faults), 20.0, "all faults have begun")
    limit_s = on_a_quiet_machine(5.0)
    os.killpg(command.pid, signal.SIGINT)
    tiny.gone_within(limit_s)
    assert command.wait(1.0) == 3
    check_complete(out, "SIGINT")
    ends = [e for e in read_journal(out / "journal.jsonl").events if e.get("what") == "end"]
    assert [e["strikes"] for e in ends] == [1] * len(faults)
    command.communicate()


def begun(out: Path) -> int:
    events = read_journal(out / "journal.jsonl").events
    return sum(e["event"] == "fault" and e["what"] == "begin" for e in events)


def test_sigint_to_a_background_job_of_a_script(tiny: Workplace) -> None:
    """A shell without job control starts `&` jobs with SIGINT ignored."""
    out = prepare(tiny)
    script = f"{M4SC} run run.yaml --out out 2> stderr.txt & echo $!; wait $!; echo code $?"
    shell = subprocess.Popen(
        ["sh", "-c", script], cwd=tiny.folder, env=tiny.environment, stdout=subprocess.PIPE, text=True
    )
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    wait_running(out)
    limit_s = on_a_quiet_machine(5.0)
    os.kill(pid, signal.SIGINT)
    tiny.gone_within(limit_s)
    assert shell.communicate(timeout=2.0)[0].endswith("code 3\n")
    check_complete(out, "SIGINT")


@pytest.mark.parametrize("moment", ["supervisor", "gcs_server", "raylet"])
def test_sigint_during_start_up(tiny: Workplace, moment: str) -> None:
    """While the supervisor imports, while Ray starts, and just before Ray has started."""
    out = prepare(tiny)
    limit_s = on_a_quiet_machine(5.0)
    command = tiny.start("run", "run.yaml", "--out", "out")
    wait_until(lambda: tiny.processes(moment), START_S, f"{moment} has started")
    command.send_signal(signal.SIGINT)
    tiny.gone_within(limit_s)
    assert command.wait(1.0) == 3
    check_complete(out, "SIGINT")
    command.communicate()


def test_sigkill_of_the_command(tiny: Workplace) -> None:
    out = prepare(tiny)
    command = tiny.start("run", "run.yaml", "--out", "out")
    wait_running(out)
    command.kill()
    roles_s = tiny.gone_within(2.0, tiny.roles)
    all_s = tiny.gone_within(10.0)
    print(f"roles gone after {roles_s:.2f} s, Ray's helpers after {roles_s + all_s:.2f} s")
    check_complete(out, "the command was killed")
    command.communicate()


def test_sigkill_of_the_supervisor(tiny: Workplace) -> None:
    """The command is left: it ends what there is and completes the folder."""
    out = prepare(tiny)
    command = tiny.start("run", "run.yaml", "--out", "out")
    wait_running(out)
    tiny.processes("launch.supervisor")[0].kill()
    began_s = time.monotonic()
    tiny.gone_within(2.0, tiny.roles)
    assert command.wait(10.0) == 3
    tiny.gone_within(1.0)
    assert time.monotonic() - began_s < 8.0
    check_complete(out, "the supervisor died")
    command.communicate()
