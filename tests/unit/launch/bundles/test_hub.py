"""Hub ids: the local cache first, then the hub, and one line when neither has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from launch.bundles.hub import SourceError, find_model

ID = "google/gemma-2-2b-it"


class _Response:
    """As much of an HTTP answer as the hub's errors look at."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        self.headers: dict[str, str] = {}
        self.request = None


def _made(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    response: Any = _Response(status)
    return kind("said\nat length", response=response)


def _snapshot(outcomes: list[Any], calls: list[bool]) -> Callable[..., str]:
    def snapshot_download(model_id: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        assert model_id == ID
        assert not any(pattern.endswith(".bin") for pattern in allow_patterns)
        calls.append(local_files_only)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    return snapshot_download


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "model.safetensors").touch()
    return tmp_path / "snapshot"


def test_a_folder_is_itself(tmp_path: Path) -> None:
    assert find_model(str(tmp_path), "--llm") == tmp_path


def test_the_cache_is_enough(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _snapshot([model], calls))
    assert find_model(ID, "--llm") == model
    assert calls == [True]


def test_what_is_not_in_the_cache_is_fetched(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in (LocalEntryNotFoundError("no"), tmp_path):  # not at all, or without its weights
        calls: list[bool] = []
        monkeypatch.setattr(huggingface_hub, "snapshot_download", _snapshot([first, model], calls))
        assert find_model(ID, "--llm") == model
        assert calls == [True, False]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_made(GatedRepoError, 403), "its licence has not been accepted"),
        (_made(RepositoryNotFoundError, 404), "no such model on the hub"),
        (_made(HfHubHTTPError, 500), "the hub cannot be reached (said at length"),
        (LocalEntryNotFoundError("offline"), "the hub cannot be reached (offline)"),
        (ConnectionRefusedError(111, "Connection refused"), "the hub cannot be reached"),
    ],
)
def test_why_it_cannot_be_had_is_one_line(
    error: Exception, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [LocalEntryNotFoundError("no"), error]
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _snapshot(outcomes, []))
    with pytest.raises(SourceError) as caught:
        find_model(ID, "--llm")
    assert f"--llm {ID}: " in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "./no/where", "/no/where", "a/b/c", "~/x", "/x", "x/"])
def test_what_is_neither_folder_nor_id(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _snapshot([], []))
    with pytest.raises(SourceError, match="no such folder, and no hub id"):
        find_model(name, "--vision")
