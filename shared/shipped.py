"""Where bundles lie that come with the project. Imports no torch."""

from pathlib import Path
from typing import Final

SHIPPED_BUNDLES: Final = Path(__file__).parent / "bundles"


def bundle_folder(name: str) -> Path:
    """A shipped bundle by its name, any other by its folder."""
    shipped = SHIPPED_BUNDLES / name
    return shipped if shipped.is_dir() else Path(name).expanduser()
