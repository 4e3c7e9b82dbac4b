"""Commands as a person starts them, and every process they start, found by a mark in the environment."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
M4SC = Path(sys.executable).parent / "m4sc"
TINY_ROLES = json.dumps(dict.fromkeys(("bs", "ce", "ue"), "tests.integration.tiny_role"))
COMPLETE = (
    "config.yaml",
    "journal.jsonl",
    "ledger.csv",
    "ledger.parquet",
    "summary.json",
    "report.html",
    "logs",
)
_MARK = "M4SC_TEST_MARK"
_SPIN_S = 0.4


class Workplace:
    """A folder of its own, an environment with a mark of its own, and what runs under that mark."""

    def __init__(self, folder: Path, tiny: bool = False) -> None:
        self.folder = folder
        self.mark = secrets.token_hex(8)
        self.environment = {
            **os.environ,
            _MARK: self.mark,
            "M4SC_STATE_DIR": str(folder / "state"),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
        }
        if tiny:
            self.environment["M4SC_ROLE_MODULES"] = TINY_ROLES

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`m4sc ...`, going on while the test does."""
        return subprocess.Popen(
            [str(M4SC), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "stderr.txt").open("w"),
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, timeout_s: float = 100.0) -> "subprocess.CompletedProcess[str]":
        """`m4sc ...` to its end."""
        return subprocess.run(
            [str(M4SC), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Living processes under the mark whose command line contains `words`."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = process.environ().get(_MARK) == self.mark
                if (
                    marked
                    and process.status() != psutil.STATUS_ZOMBIE
                    and words in " ".join(process.cmdline())
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def roles(self) -> list[psutil.Process]:
        """Role processes: what the forkservers forked that forks nobody itself."""
        forked = {process: _parent_of(process) for process in self.processes("launch.forkserver")}
        parents = set(forked.values())
        return [process for process, parent in forked.items() if parent in forked and process not in parents]

    def gone_within(self, timeout_s: float, which: Callable[[], list[psutil.Process]] | None = None) -> float:
        """Seconds until no process (of `which`, else of all) is left; fails the test after `timeout_s`."""
        began_s = time.monotonic()
        look = which or self.processes
        while left := look():
            assert time.monotonic() - began_s < timeout_s, f"still there after {timeout_s} s: {left}"
            time.sleep(0.05)
        return time.monotonic() - began_s

    def kill_everything(self) -> None:
        """At the end of a test that failed."""
        for process in self.processes():
            if process.is_running():
                process.send_signal(signal.SIGKILL)


def on_a_quiet_machine(seconds: float) -> float:
    """A bound that holds on an idle machine, for this one now: by the wall time that CPU time takes."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    while time.process_time() - cpu_s < _SPIN_S:
        pass
    return seconds * max(1.0, (time.perf_counter() - wall_s) / _SPIN_S)


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what}"
        time.sleep(0.1)


def _parent_of(process: psutil.Process) -> psutil.Process | None:
    try:
        return process.parent()
    except psutil.Error:
        return None
