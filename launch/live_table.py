"""The table one sees while a run goes on, and the table of its summary at the end.

`LiveTable` is a rich renderable: put it into `rich.live.Live` and call `update`. Questions and answers come
from the base station's progress messages, every byte from the ledger's counters.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from launch.accounts import Account, accounts
from launch.run_files import read_counters_of
from shared.config import RunConfig
from shared.ledger_rows import LedgerRow

MAX_ROWS = 24
"""Users shown; a terminal has no more lines. The totals are of all."""

_STATES = ("answered", "degraded", "failed")
_STATE_STYLES = ("green", "yellow", "red")


class LiveTable:
    """One row a user, and a header with run id, elapsed time and progress. Not thread-safe."""

    def __init__(
        self,
        config: RunConfig,
        run_id: str,
        planned: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`planned`: requests of the workload; None when they come from outside and nobody knows how many."""
        self._config = config
        self._run_id = run_id
        self._planned = planned
        self._clock = clock
        self._started_s = clock()
        self._phase = "starting"
        self._dashboard = ""
        self._values: dict[str, Any] = {}
        self._users = [Account() for _ in range(config.users)]
        self._total = Account()

    def update(
        self,
        progress: Mapping[str, Any] | None = None,
        rows: Iterable[LedgerRow] | None = None,
        phase: str | None = None,
        planned: int | None = None,
        dashboard: str | None = None,
    ) -> None:
        """Take over what is given: the base station's `Progress.values`, ledger rows of all ends, a phase."""
        if progress is not None:
            self._values.update(progress)
        if rows is not None:
            split = accounts(rows, self._config.users)
            self._users, self._total = split.users, split.total
        if phase is not None:
            self._phase = phase
        if planned is not None:
            self._planned = planned
        if dashboard is not None:
            self._dashboard = dashboard

    def update_from(self, run_dir: Path) -> None:
        """Read the counter files of a running run."""
        self.update(rows=read_counters_of(run_dir)[0])

    def __rich__(self) -> RenderableType:
        return Group(self._header(), self._table())

    def _header(self) -> RenderableType:
        elapsed_s = self._clock() - self._started_s
        ended = sum(self._ended(state) for state in _STATES)
        channel = self._config.channel
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(no_wrap=True, ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        of = "" if self._planned is None else f" of {self._planned}"
        grid.add_row(
            Text.assemble(("M4SC ", "bold"), (self._run_id, "bold cyan"), f"  {self._phase}"),
            Text(f"{ended}{of} requests · {elapsed_s:.0f} s"),
        )
        attached = self._values.get("attached")
        users = (
            f"{self._config.users} users"
            if attached is None
            else f"{attached}/{self._config.users} UEs attached"
        )
        grid.add_row(
            Text(
                f"{channel.model} · {users} · sharing {'on' if self._config.sharing.enabled else 'off'}"
                f" · bundle {Path(self._config.bundle).name}",
                style="dim",
            ),
            self._bar(ended),
        )
        if self._dashboard:
            grid.add_row(Text(f"dashboard {self._dashboard}", style="cyan"), "")
        return grid

    def _bar(self, ended: int) -> RenderableType:
        if not self._planned:
            return Text("")
        return ProgressBar(total=self._planned, completed=min(ended, self._planned), width=24)

    def _table(self) -> Table:
        table = Table(
            expand=True,
            box=None,
            pad_edge=False,
            header_style="bold",
            row_styles=("", "on grey7"),
            caption="✓ answered  ~ degraded  ✗ failed, expired or refused · bytes with all overhead",
            caption_justify="left",
        )
        table.add_column("user", justify="right", no_wrap=True)
        table.add_column("dB", justify="right", no_wrap=True)
        table.add_column("✓", justify="right", no_wrap=True, style=_STATE_STYLES[0])
        table.add_column("~", justify="right", no_wrap=True, style=_STATE_STYLES[1])
        table.add_column("✗", justify="right", no_wrap=True, style=_STATE_STYLES[2])
        table.add_column("last question → answer", ratio=1, no_wrap=True, overflow="ellipsis", min_width=20)
        for name in ("public", "private", "side", "wire", "uses"):
            table.add_column(name, justify="right", no_wrap=True)
        shown = min(self._config.users, MAX_ROWS)
        for user in range(shown):
            account = self._users[user]
            table.add_row(
                str(user),
                f"{self._config.channel.snr_db_of(user):g}",
                *(_count(self._values.get(f"user.{user}.{state}", 0)) for state in _STATES),
                self._exchange(user),
                *_sizes(account),
            )
        if shown < self._config.users:
            table.add_row(
                "…", "", "", "", "", Text(f"and {self._config.users - shown} more users", style="dim")
            )
        table.add_section()
        table.add_row(
            "all",
            "",
            *(_count(self._ended(state)) for state in _STATES),
            "",
            *_sizes(self._total),
            style="bold",
        )
        return table

    def _ended(self, state: str) -> int:
        """Requests of the whole run; as in the users' lines, `failed` is whatever got no answer."""
        states = ("failed", "expired", "refused") if state == "failed" else (state,)
        return sum(int(self._values.get(name, 0)) for name in states)

    def _exchange(self, user: int) -> Text:
        question = str(self._values.get(f"user.{user}.question", ""))
        answer = str(self._values.get(f"user.{user}.answer", ""))
        attempts = sum(int(self._values.get(f"user.{user}.{state}", 0)) for state in _STATES)
        if not attempts:
            attached = self._values.get(f"user.{user}.attached")
            return Text("" if attached is None else "waiting" if attached else "not attached", style="dim")
        text = Text(_one_line(question) or "(caption)")
        room = max(12, 48 - len(answer))
        if len(text) > room:
            text.truncate(room, overflow="ellipsis")
        return Text.assemble(text, (" → ", "dim"), (_one_line(answer) or "–", "bold"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _count(value: object) -> str:
    return str(value) if value else "·"


def _sizes(account: Account) -> list[str]:
    return [
        human_bytes(account.public_bytes),
        human_bytes(account.private_bytes),
        human_bytes(account.side_bytes),
        human_bytes(account.wire_bytes),
        human_count(account.channel_uses),
    ]


def human_bytes(count: int) -> str:
    """'950 B', '12.3 kB', '4.56 MB': powers of 1000, three digits."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def human_count(count: int) -> str:
    """'950', '12.3 k', '4.56 M'."""
    return _scaled(count, ("", "k", "M", "G", "T")).rstrip()


def _scaled(count: int, units: tuple[str, ...]) -> str:
    value, place = float(count), 0
    while value >= 999.5 and place < len(units) - 1:
        value, place = value / 1000, place + 1
    if place == 0:
        return f"{count} {units[0]}"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {units[place]}"
