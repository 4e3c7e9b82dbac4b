"""SIGINT, SIGTERM and SIGHUP as something a main loop can wait for.

The handlers are installed explicitly: a shell starts background jobs of a script with SIGINT ignored, and
only a handler of one's own undoes that. Nothing happens inside a handler but counting and waking the loop.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counts stop signals; `fileno()` becomes readable when one has arrived. Main thread only."""

    def __init__(self, on_signal: Callable[[int], None] | None = None) -> None:
        self.received: list[signal.Signals] = []
        self._on_signal = on_signal
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self.install()

    def install(self) -> None:
        """Take the signals (again): libraries loaded since may have put handlers of their own."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._handle)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def fileno(self) -> int:
        return self._reader.fileno()

    def clear(self) -> None:
        """Take what made `fileno()` readable."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4_096)

    def close(self) -> None:
        """Give the signals their default action back."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        self._reader.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received.append(signal.Signals(number))
        with contextlib.suppress(BlockingIOError):
            self._writer.send(b"!")
        if self._on_signal is not None:
            self._on_signal(number)


def let_go_of_terminal() -> None:
    """After SIGHUP every write to the terminal fails: send them nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        if os.isatty(number):
            os.dup2(nowhere, number)
    os.close(nowhere)
