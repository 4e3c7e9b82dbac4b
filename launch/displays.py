"""What a person sees while a run goes on: a live table on a terminal, lines elsewhere."""

import sys
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live

from launch.live_table import LiveTable
from shared.config import RunConfig


class LineDisplay:
    """One line a phase, note or crash; progress is left out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def show(self, message: dict[str, Any]) -> None:
        if message["kind"] == "phase":
            self._print(f"… {message['text']}")
        elif message["kind"] == "ready":
            self._print(f"… {len(message['roles'])} roles ready")
        elif message["kind"] == "dashboard":
            self._print(f"… dashboard {message['url']}")
        elif message["kind"] in ("note", "crash"):
            self._print(f"! {message['text']}")
            for line in message.get("last_output", ()):
                self._print(f"    {line}")

    def tick(self) -> None:
        """Lines have no clock."""

    def close(self) -> None:
        """Nothing to end."""

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class TableDisplay:
    """The results owner's live table, fed with phases, progress and the counter files."""

    def __init__(self, config: RunConfig, run_dir: Path, stream: TextIO) -> None:
        self._run_dir = run_dir
        self._console = Console(file=stream)
        self._table = LiveTable(config, run_dir.name)
        # Bytes written by others to the terminal would tear the table; there are none, roles write to logs.
        self._live = Live(
            self._table,
            console=self._console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def show(self, message: dict[str, Any]) -> None:
        if message["kind"] == "phase":
            self._table.update(phase=str(message["text"]))
        elif message["kind"] == "planned":
            self._table.update(planned=int(message["count"]))
        elif message["kind"] == "progress" and message["role"] == "bs":
            self._table.update(progress=message["values"])
        elif message["kind"] == "dashboard":
            self._table.update(dashboard=str(message["url"]))
        elif message["kind"] in ("note", "crash"):
            self._live.console.print(f"! {message['text']}", style="yellow", markup=False)

    def tick(self) -> None:
        self._table.update_from(self._run_dir)

    def close(self) -> None:
        self.tick()
        if sys.stdout.isatty() or sys.stderr.isatty():
            self._live.stop()
