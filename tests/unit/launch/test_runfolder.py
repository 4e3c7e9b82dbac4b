"""Run folders: made, refused, read back, discarded."""

from pathlib import Path

import pytest

from launch.errors import RunFolderError
from launch.runfolder import (
    COMPLETE,
    create_run_folder,
    discard_run_folder,
    missing_files,
    read_config,
    read_summary,
)
from shared.config import RunConfig
from shared.config_file import parse_config


def test_the_resolved_configuration_reads_back_to_the_same(tmp_path: Path) -> None:
    config = parse_config({"users": 2, "channel": {"snr_db": [1.5, -3.0], "model": "rayleigh"}}, "test")
    assert read_config(create_run_folder(config, tmp_path / "a")) == config


def test_default_names_are_unique_and_safe(tmp_path: Path) -> None:
    config = RunConfig(name="../a b/ü")
    first, second = (create_run_folder(config, None, tmp_path) for _ in range(2))
    assert first != second
    assert first.parent == second.parent == tmp_path


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(RunFolderError, match="expected a new or empty folder"):
        create_run_folder(RunConfig(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot be made"):
        create_run_folder(RunConfig(), tmp_path / "file" / "below")


def test_knows_what_is_missing(tmp_path: Path) -> None:
    folder = create_run_folder(RunConfig(), tmp_path / "a")
    assert missing_files(folder) == ["ledger.csv", "ledger.parquet", "summary.json", "report.html"]
    with pytest.raises(RunFolderError, match="cannot be read"):
        read_summary(folder)
    for name in COMPLETE:
        if not (folder / name).exists():
            (folder / name).write_text("{}")
    assert missing_files(folder) == []
    assert read_summary(folder) == {}


def test_discarding_keeps_what_a_person_put_there(tmp_path: Path) -> None:
    folder = create_run_folder(RunConfig(), tmp_path / "a")
    (folder / "logs" / "supervisor.log").write_text("words")
    (folder / "notes.txt").write_text("mine")
    discard_run_folder(folder)
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    discard_run_folder(folder)
    assert not folder.exists()
