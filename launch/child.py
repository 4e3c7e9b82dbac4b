"""Long work in a process of its own: a stop signal to the command ends it and all it started, in time.

The command only waits. At a signal it tells the child, which may finish what it is at; what is still there
after `GRACE_S` is killed. Everything the child starts has the run's id in its environment and is found by it.
"""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import FrameType
from typing import Any, Final

from launch.descriptors import readable
from launch.errors import Interrupted, LaunchError
from launch.guardian import RUN_ID_VARIABLE, die_with_parent, kill_run
from launch.signals import StopSignals, let_go_of_terminal
from launch.temp_dirs import sweep_temp_dirs
from launch.user_errors import CUT_SHORT, reporting_errors

GRACE_S: Final = 3.5
"""Of the 5 s within which everything must be gone."""

Tell = Callable[["subprocess.Popen[bytes]"], object]


def terminate(child: "subprocess.Popen[bytes]") -> None:
    """Tell a child by SIGTERM: it leaves from wherever it is."""
    child.terminate()


def run_child(work: str, options: Mapping[str, Any], again: str, tell: Tell = terminate) -> int:
    """Run the function `work` ('module:name') on `options` to its end; returns the exit code.

    `again` tells people what goes on with what was stopped. Main thread only.
    """
    run_id = f"{work.rpartition(':')[2]}-{secrets.token_hex(6)}"
    with StopSignals() as signals:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "launch.child", work, str(os.getpid()), json.dumps(options), again],
            stdin=subprocess.DEVNULL,
            env={**os.environ, RUN_ID_VARIABLE: run_id},
            start_new_session=True,  # a Ctrl-C or hang-up of the terminal is the command's business
        )
        ended = os.pidfd_open(child.pid)
        try:
            readable([ended, signals.fileno()])
            if signals.received:
                if signals.received[0] == signal.SIGHUP:
                    let_go_of_terminal()
                    child.send_signal(signal.SIGHUP)
                tell(child)
                readable([ended], GRACE_S)
        finally:
            os.close(ended)
            left = kill_run(run_id)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1.0)
            sweep_temp_dirs()
    if left:
        raise LaunchError(f"these processes could not be killed: {', '.join(map(str, left))}")
    code = child.returncode
    if code in (0, CUT_SHORT) or (not signals.received and code is not None and code > 0):
        return code
    why = f"stopped by {signals.received[0].name}" if signals.received else "its process was killed"
    print(f"m4sc: {why}; {again}", file=sys.stderr)
    return CUT_SHORT


def main(work: str, front_pid: str, options: str, again: str) -> None:
    """The child's side."""
    die_with_parent(int(front_pid))
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, lambda number, frame: let_go_of_terminal())
    module, _, name = work.partition(":")
    reporting_errors(lambda: getattr(import_module(module), name)(**json.loads(options)), again)


def _leave(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: None)  # once is enough: it is on its way out
    raise Interrupted("stopped before its end")


if __name__ == "__main__":
    main(*sys.argv[1:])
