"""Small pictures in a run folder: of sampled requests, and of what was asked from outside."""

import hashlib
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

FOLDER = "thumbnails"
MAX_ASKED = 256
"""Pictures from outside that are kept in a run folder; of more, none."""
_WIDTH = 240


def write_thumbnail(image: Path | bytes, target: Path) -> bool:
    """Write a small JPEG of an image file, or its bytes. False where that is no image or there is no room:
    an image that is gone or damaged costs its picture, nothing else."""
    try:
        with Image.open(BytesIO(image) if isinstance(image, bytes) else image) as picture:
            small = picture.convert("RGB")
        small.thumbnail((_WIDTH, _WIDTH))
        target.parent.mkdir(exist_ok=True)
        small.save(target, "JPEG", quality=80)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
    return True


def asked_picture(run_dir: Path, image_key: str) -> Path:
    """Where the picture lies of an image whose key the journal names (the begin of its SHA-256)."""
    return run_dir / FOLDER / f"asked-{image_key}.jpg"


def keep_asked(run_dir: Path, image: bytes) -> None:
    """Keep the picture of what is asked from outside, for those who look at the run."""
    if not image or len(list((run_dir / FOLDER).glob("asked-*.jpg"))) >= MAX_ASKED:
        return
    target = asked_picture(run_dir, hashlib.sha256(image).hexdigest()[:16])
    if not target.exists():
        write_thumbnail(image, target)
