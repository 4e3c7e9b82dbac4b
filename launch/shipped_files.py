"""YAML files that a person names by a path, or by the name of a shipped one."""

from pathlib import Path

from shared.config_file import ConfigError


def find_shipped(name: str, folder: Path, what: str) -> Path:
    """`what` is for the error, which lists the shipped ones. Raises `ConfigError`."""
    path = Path(name)
    if path.exists():
        return path
    shipped = folder / f"{path.name.removesuffix('.yaml')}.yaml"
    if path.parent == Path(".") and shipped.exists():
        return shipped
    names = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
    raise ConfigError(f"{name}: no such {what} (shipped: {names})")
