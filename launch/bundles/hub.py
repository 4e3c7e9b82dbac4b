"""A model's folder: one on this machine, or a hub id looked up in the local cache and then on the hub."""

import json
from pathlib import Path

from launch.errors import LaunchError

PATTERNS = ("config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer.json")
INDEX_FILE, SINGLE_FILE = "model.safetensors.index.json", "model.safetensors"


class SourceError(LaunchError):
    """Pre-trained weights that cannot be used; one line."""


def find_model(source: str, option: str) -> Path:
    """The folder of `source`: a folder, or an id such as `google/gemma-2-2b-it`.

    `option` is what the person typed it after. Raises `SourceError`.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    owner, separator, name = source.partition("/")
    if not (separator and owner and name) or "/" in name or source.startswith((".", "~", "/")):
        raise SourceError(f"{option} {source}: no such folder, and no hub id (expected owner/name)")
    return _from_hub(source, option)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model: the single one, or those that its index names.

    Raises `SourceError`.
    """
    index = folder / INDEX_FILE
    if not index.is_file():
        single = folder / SINGLE_FILE
        if single.is_file():
            return [single]
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        hint = f" (there is {pickled[0]}: pickled weights are never read)" if pickled else ""
        raise SourceError(f"{folder}: expected {SINGLE_FILE} or {INDEX_FILE}, found neither{hint}")
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise SourceError(f"{index}: expected an object with a weight_map of file names") from None
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise SourceError(f"{index}: weight_map: {name!r} is no safetensors file name")
        if not (folder / name).is_file():
            raise SourceError(f"{index}: {name} is named but not there")
    return [folder / name for name in names]


def _from_hub(model_id: str, option: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    patterns = list(PATTERNS)
    try:
        cached = Path(snapshot_download(model_id, allow_patterns=patterns, local_files_only=True))
        weight_files(cached)
        return cached
    except HFValidationError as error:
        raise SourceError(f"{option} {model_id}: no hub id ({_line(error)})") from None
    except (LocalEntryNotFoundError, SourceError):
        pass  # not in the cache, or not all of it
    where = f"https://huggingface.co/{model_id}"
    try:
        return Path(snapshot_download(model_id, allow_patterns=patterns))
    except GatedRepoError:
        raise SourceError(
            f"{option} {model_id}: its licence has not been accepted: accept it at {where}, then set HF_TOKEN"
        ) from None
    except RepositoryNotFoundError:
        raise SourceError(
            f"{option} {model_id}: no such model on the hub, or HF_TOKEN may not see it"
        ) from None
    except (HfHubHTTPError, LocalEntryNotFoundError, HTTPError, OSError) as error:
        raise SourceError(
            f"{option} {model_id}: not in the local cache, and the hub cannot be reached "
            f"({_line(error.__cause__ or error)}): give a folder with {where}'s files"
        ) from None


def _line(error: object) -> str:
    return " ".join(str(error).split())[:120]
