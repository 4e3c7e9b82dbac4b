"""What one image costs at an operating point, sent once, pilots and maps apart."""

from functools import lru_cache
from pathlib import Path

from launch.measurement.points import OWN_SCHEME, Point
from shared.rate import prefix_uses
from shared.semantic.config_file import read_sizes


@lru_cache(64)
def image_uses(bundle: Path, point: Point) -> int | None:
    """Channel uses; None where they depend on the image or the SNR. Raises `BundleError`."""
    if point.scheme == OWN_SCHEME:
        config = read_sizes(bundle)
        tokens = point.size.image_tokens or config.image_tokens
        return min(tokens, config.image_tokens) * prefix_uses(config.uses_per_token, point.size.image_eighths)
    if point.scheme == "deepsc_vqa":
        from shared.deepsc.bundle import DeepscBundle  # only now: torch takes seconds, and bad input none
        from shared.deepsc.config import DeepscVqaConfig

        grid = DeepscBundle.load(bundle, point.scheme).config
        assert isinstance(grid, DeepscVqaConfig)
        return grid.patches * prefix_uses(grid.uses_per_patch, point.size.image_eighths)
    return None
