"""Stop signals become something to wait for, also where SIGINT was ignored."""

import os
import select
import signal
import subprocess
import sys

import pytest

from launch.signals import STOP_SIGNALS, StopSignals


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_wakes_the_loop_once(number: signal.Signals) -> None:
    with StopSignals() as signals:
        assert select.select([signals], [], [], 0.0)[0] == []
        os.kill(os.getpid(), number)
        assert select.select([signals], [], [], 1.0)[0] == [signals]
        signals.clear()
        assert select.select([signals], [], [], 0.0)[0] == []
        assert signals.received == [number]


def test_works_where_sigint_is_ignored_and_blocked() -> None:
    code = (
        "import os, signal; from launch.signals import StopSignals\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "with StopSignals() as s:\n"
        "    os.kill(os.getpid(), signal.SIGINT); print(len(s.received))\n"
    )
    shell = ["sh", "-c", f'trap "" INT; exec "{sys.executable}" -c "$CODE"']
    done = subprocess.run(shell, env={**os.environ, "CODE": code}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_default_actions_come_back() -> None:
    with StopSignals():
        pass
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
