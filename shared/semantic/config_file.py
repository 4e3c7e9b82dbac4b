"""A bundle's `config.json`. Reading it takes neither torch nor transformers."""

from pathlib import Path
from typing import Final

from shared.outside_text import shown
from shared.semantic.config import SemanticConfig, SemanticConfigError, parse_config
from shared.semantic.manifest import CONFIG_FILE, BundleError, read_json

OWN_SCHEME: Final = "m4sc"
"""What a config.json is for that names no scheme."""


def read_config(path: Path, scheme: str = OWN_SCHEME) -> object:
    """A config.json of a bundle for a scheme, its other fields not yet looked at. Raises `BundleError`."""
    data = read_json(path)
    found = data.get("scheme", OWN_SCHEME) if isinstance(data, dict) else OWN_SCHEME
    if found != scheme:
        raise BundleError(f"{path}: scheme: expected weights for {scheme!r}, found those for {shown(found)}")
    return data


def read_sizes(bundle: Path) -> SemanticConfig:
    """The sizes of a semantic codec, from its bundle's folder. Raises `BundleError`."""
    path = bundle / CONFIG_FILE
    data = read_config(path)
    try:
        return parse_config(data)
    except SemanticConfigError as error:
        raise BundleError(f"{path}: {error}") from None
