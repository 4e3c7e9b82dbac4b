"""A run seen again: its state at any moment, by the journal read up to there."""

import math
from collections import deque
from pathlib import Path
from typing import Any

from launch.observe.state import RunState
from launch.observe.tail import JournalTail
from launch.runfolder import JOURNAL_FILE


class Replay:
    """One who looks back. Forward is cheap; backward reads the journal from its begin."""

    def __init__(self, run_dir: Path, users: int) -> None:
        self._run_dir = run_dir
        self._users = users
        self._at_s = -math.inf
        self._restart()

    def seek(self, t_s: float) -> RunState:
        """The state after all events up to the first one that is later than `t_s` of the journal's clock."""
        if t_s < self._at_s:
            self._restart()
        self._at_s = t_s
        while True:
            while self._ahead and float(self._ahead[0]["t"]) <= t_s:
                self.state.apply(self._ahead.popleft())
            if self._ahead:
                return self.state
            self._ahead.extend(self._tail.read())
            if not self._ahead:
                return self.state

    def _restart(self) -> None:
        self.state = RunState(self._users)
        self._tail = JournalTail(self._run_dir / JOURNAL_FILE)
        self._ahead: deque[dict[str, Any]] = deque()
