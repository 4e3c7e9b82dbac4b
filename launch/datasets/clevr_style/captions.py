"""One sentence about a scene: its objects from left to right, by size, colour, material and shape."""

from launch.datasets.clevr_style.programs import attributes_of
from launch.datasets.clevr_style.scene import Scene
from launch.datasets.clevr_style.wording import with_article


def caption(scene: Scene) -> str:
    """'a small red metal cube, a large blue rubber sphere and a large gray metal cylinder.'

    Left to right is by the image column of each object's centre, so the order can be seen in the picture.
    """
    ordered = sorted(scene["objects"], key=lambda item: item["pixel_coords"][0])
    phrases = [with_article(" ".join(attributes_of(item))) for item in ordered]
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}." if len(phrases) > 1 else f"{phrases[0]}."
