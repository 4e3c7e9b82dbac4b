"""Example files, shown as they are."""

from collections.abc import Mapping
from pathlib import Path

from launch.reference.markdown import Block


def blocks(folder: Path) -> Mapping[str, Block]:
    """A block 'example:NAME' for each file of a folder."""
    return {f"example:{path.name}": _shown(path) for path in sorted(folder.glob("*.*")) if path.is_file()}


def _shown(path: Path) -> Block:
    kind = {".py": "python", ".yaml": "yaml"}.get(path.suffix, "")
    return lambda: f"```{kind}\n{path.read_text(encoding='utf-8').strip()}\n```"
