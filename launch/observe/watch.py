"""A run folder that is looked at again and again: state from the journal, bytes from the ledger's counters.

One object serves all who look; `refresh` is called from any thread.
"""

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from launch.observe.requests import RequestView
from launch.observe.state import RunState
from launch.observe.tail import JournalTail
from launch.run_files import read_counters_of, read_workload
from launch.runfolder import JOURNAL_FILE, SUMMARY_FILE, read_config, read_summary
from launch.summary import bytes_and_uses
from launch.thumbnails import asked_picture

LEAST_S: Final = 0.2
"""A look sooner after the last one sees the same."""


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
        self._tail = JournalTail(run_dir / JOURNAL_FILE)
        self._workload: dict[int, Mapping[str, Any]] = {}
        self._clock = clock
        self._looked_s: float | None = None
        self._lock = threading.Lock()

    @property
    def finished(self) -> bool:
        return self.summary is not None

    def refresh(self) -> None:
        """Look again, if the last look is not of just now; a finished run does not change any more."""
        with self._lock:
            now_s = self._clock()
            if self.finished or (self._looked_s is not None and now_s - self._looked_s < LEAST_S):
                return
            ended = (
                self.run_dir / SUMMARY_FILE
            ).exists()  # asked first: what is read after it is all there is
            while events := self._tail.read():
                for event in events:
                    self.state.apply(event)
            rows, _ = read_counters_of(self.run_dir)
            self.numbers = bytes_and_uses(rows, self.config)
            self._read_workload()
            if ended:
                self.summary = read_summary(self.run_dir)
            self._looked_s = self._clock()

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

    def _read_workload(self) -> None:
        """Once: it is whole before the first request."""
        if not self._workload and len(self.state.requests):
            self._workload = {entry["index"]: entry for entry in read_workload(self.run_dir, [])}
