"""A run folder that is looked at again and again: state from the journal, bytes from the ledger's counters.

One object serves all who look. Files are read on any thread (`read`), what was read is taken over on theirs.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from launch.observe.requests import RequestView
from launch.observe.state import RunState
from launch.observe.tail import JournalTail
from launch.run_files import read_counters_of, read_workload
from launch.runfolder import JOURNAL_FILE, SUMMARY_FILE, read_config, read_summary
from launch.summary import bytes_and_uses
from launch.thumbnails import asked_picture

LEAST_S: Final = 0.2
"""A look sooner after the last one sees the same."""


class Look(NamedTuple):
    """What was new in the folder."""

    events: list[dict[str, Any]]
    numbers: dict[str, Any]
    workload: list[dict[str, Any]]
    summary: dict[str, Any] | None


class RunWatch:
    """Raises `ConfigError` when the folder is none of a run.

    `numbers`: the ledger's part of a summary (`launch.summary.bytes_and_uses`), of now.
    """

    def __init__(self, run_dir: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.run_dir = run_dir
        self.config = read_config(run_dir)
        self.state = RunState(self.config.users)
        self.numbers: dict[str, Any] = bytes_and_uses([], self.config)
        self.summary: dict[str, Any] | None = None
        self._workload: dict[int, Mapping[str, Any]] = {}
        self._tail = JournalTail(run_dir / JOURNAL_FILE)
        self._clock = clock
        self._reading = threading.Lock()
        self._looks: deque[Look] = deque()  # read, in their order, and not yet taken over
        self._read_s: float | None = None
        self._asked_for = self._is_over = False

    @property
    def finished(self) -> bool:
        return self.summary is not None

    def refresh(self) -> None:
        """Read and take."""
        self.read()
        self.take()

    def read(self) -> None:
        """What is new, on any thread: only files are read. Nothing where the last look is of just now, and of
        a run that is over and was read to its end."""
        with self._reading:
            now_s = self._clock()
            if self._is_over or (self._read_s is not None and now_s - self._read_s < LEAST_S):
                return
            over = (self.run_dir / SUMMARY_FILE).exists()  # asked first: what is read after it is all
            events: list[dict[str, Any]] = []
            while more := self._tail.read():
                events += more
            rows, _ = read_counters_of(self.run_dir)
            numbers = bytes_and_uses(rows, self.config)
            workload = self._workload_of(events)
            summary = read_summary(self.run_dir) if over else None
            self._is_over, self._read_s = over, self._clock()
            self._looks.append(Look(events, numbers, workload, summary))

    def take(self) -> None:
        """All that was read, whoever read it, on the thread of those who show it: nothing changes under their
        hands, and nothing is missed where a reader went away."""
        while self._looks:
            look = self._looks.popleft()
            for event in look.events:
                self.state.apply(event)
            self._workload |= {entry["index"]: entry for entry in look.workload}
            self.numbers, self.summary = look.numbers, look.summary

    def question_of(self, request: RequestView) -> str:
        """What was asked; empty for a caption, and for what is asked at the UE alone."""
        if request.text is not None:
            return request.text
        return str(self._entry(request).get("text", ""))

    def expected_of(self, request: RequestView) -> str | None:
        """The workload's answer, where it has one."""
        return self._entry(request).get("expected")

    def picture_of(self, request: RequestView) -> Path | None:
        """The image file, if it is on this host."""
        named = self._entry(request).get("image")
        path = Path(named) if isinstance(named, str) else None
        if path is None and request.image_key is not None:
            path = asked_picture(self.run_dir, request.image_key)
        return path if path is not None and path.is_file() else None

    @property
    def planned(self) -> int | None:
        """Requests of the workload; None where they come from outside."""
        return len(self._workload) or None

    def _entry(self, request: RequestView) -> Mapping[str, Any]:
        return {} if request.index is None else self._workload.get(request.index, {})

    def _workload_of(self, events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Once: the file is whole before the first request."""
        if self._asked_for or not any(event["event"] == "invoke" for event in events):
            return []
        self._asked_for = True
        return read_workload(self.run_dir, [])
