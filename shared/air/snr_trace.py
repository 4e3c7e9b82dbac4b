"""SNR that changes over time: a CSV file of steps on the downlink's channel-use clock.

    first_use,user,snr_db
    0,0,15
    0,1,10
    50000,0,3.5

From `first_use` on, until the user's next step, the average received Es/N0 of that user is `snr_db`. Every
user begins at channel use 0, so there are no gaps.
"""

import csv
import io
import math
from pathlib import Path
from typing import Any, Final

COLUMNS: Final = ("first_use", "user", "snr_db")
MAX_STEPS: Final = 65_536
MAX_CHARS: Final = 2**22
SNR_DB: Final = (-50.0, 100.0)

Step = tuple[int, int, float]
"""(first_use, user, snr_db)."""


def read_snr_trace(path: Path) -> tuple[Step, ...]:
    """The steps of a file. Raises ValueError, one line that names file, line and field."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            text = file.read(MAX_CHARS + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not CSV ({error})") from None
    if len(text) > MAX_CHARS:
        raise ValueError(f"{path}: expected at most {MAX_CHARS} characters")
    try:
        return _steps(csv.reader(io.StringIO(text, newline="")), path)
    except csv.Error as error:
        raise ValueError(f"{path}: not CSV ({error})") from None


def _steps(rows: Any, path: Path) -> tuple[Step, ...]:
    found = tuple(next(rows, ()))
    if found != COLUMNS:
        raise ValueError(f"{path}: line 1: expected {','.join(COLUMNS)}, found {','.join(found)[:60]!r}")
    steps: list[Step] = []
    for row in rows:
        if len(steps) == MAX_STEPS:
            raise ValueError(f"{path}: expected at most {MAX_STEPS} steps")
        steps.append(_step(row, f"{path}: line {rows.line_num}"))
    return tuple(steps)


def _step(row: list[str], where: str) -> Step:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{where}: expected {len(COLUMNS)} fields, found {len(row)}")
    try:
        return int(row[0]), int(row[1]), float(row[2])
    except ValueError:
        raise ValueError(
            f"{where}: expected two whole numbers and a number, found {','.join(row)[:60]!r}"
        ) from None


def check_steps(steps: tuple[Step, ...], users: int) -> None:
    """Raises ValueError, one line, for steps that leave a gap, go back in time or are no SNR."""
    last: dict[int, int] = {}
    for first_use, user, snr_db in steps:
        if not 0 <= user < users:
            raise ValueError(f"user {user}: expected 0 to {users - 1}")
        if not (math.isfinite(snr_db) and SNR_DB[0] <= snr_db <= SNR_DB[1]):
            raise ValueError(f"user {user} at channel use {first_use}: {snr_db} dB, expected {SNR_DB}")
        if user not in last and first_use != 0:
            raise ValueError(f"user {user}: a gap before channel use {first_use}, expected a first step at 0")
        if user in last and first_use <= last[user]:
            raise ValueError(f"user {user}: channel use {first_use} comes after {last[user]}")
        last[user] = first_use
    for user in range(users):
        if steps and user not in last:
            raise ValueError(f"user {user}: no step, expected one at channel use 0")
