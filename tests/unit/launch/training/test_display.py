"""What people see of a training."""

from pathlib import Path

import pytest

from launch.training.display import readable, shown
from launch.training.record import LOG_FILE, Record


def test_lines_that_come_meanwhile_are_shown_once_and_older_ones_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / LOG_FILE).write_text('{"phase": "vision", "step": 50, "of": 100, "spent_s": 1.0}\n')
    with shown(tmp_path):
        record = Record(tmp_path, "tune")
        record.add({"vqa/loss": 2.0})
        record.write(500, 1_000, 90.0)
        record.write_dev(500, {"mean": 0.25})
        record.close()
        with (tmp_path / LOG_FILE).open("a") as file:
            file.write('{"phase": "tu')  # a line that is being written
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == [
        "tune",
        "500",
        "of",
        "1,000",
        "2",
        "min,",
        "2",
        "min",
        "left",
        "vqa/loss",
        "2.000",
    ]
    assert second.split() == ["tune", "500", "on", "data", "kept", "for", "choosing", "mean", "0.250"]
    assert first.index("vqa/loss") == second.index("mean")


def test_times_are_told_as_people_tell_them() -> None:
    line = {"phase": "joint", "step": 10, "of": 100, "spent_s": 900.0}
    assert "15 min, 2 h 15 min left" in readable(line)
    assert "12 s, 0 s left" in readable({**line, "step": 100, "spent_s": 12.0})
