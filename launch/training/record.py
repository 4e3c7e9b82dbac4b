"""What a phase reports of itself: lines of `log.jsonl`, and TensorBoard's event files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch.utils.tensorboard import SummaryWriter

LOG_FILE: Final = "log.jsonl"
BOARD_FOLDER: Final = "tensorboard"


class Record:
    """Figures of one phase; means over the steps between two lines."""

    def __init__(self, out: Path, phase: str) -> None:
        self._path = out / LOG_FILE
        self._phase = phase
        self._board = SummaryWriter(str(out / BOARD_FOLDER / phase))
        self._sums: dict[str, tuple[float, int]] = {}

    def add(self, figures: Mapping[str, float]) -> None:
        for name, value in figures.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value, count + 1)

    def write(self, step: int, steps: int, spent_s: float) -> None:
        means = {name: total / count for name, (total, count) in self._sums.items()}
        self._sums.clear()
        self._line(step, {"of": steps, "spent_s": spent_s}, means)

    def write_dev(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures on data kept for choosing."""
        self._line(step, {}, {f"dev/{name}": value for name, value in figures.items()})

    def close(self) -> None:
        self._board.close()

    def _line(self, step: int, facts: Mapping[str, float], figures: Mapping[str, float]) -> None:
        values = {"phase": self._phase, "step": step, **facts, **figures}
        line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in figures.items():
            self._board.add_scalar(name, value, step)
