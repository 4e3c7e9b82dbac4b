"""The attributes of a CLEVR object (Johnson et al. 2017, table of shapes, sizes, materials and colours)."""

from typing import Final, Literal

Attribute = Literal["size", "color", "material", "shape"]
Direction = Literal["left", "right", "front", "behind"]

SHAPES: Final = ("cube", "sphere", "cylinder")
MATERIALS: Final = ("rubber", "metal")

#: Half the side of a cube and the radius of a sphere or cylinder, in world units.
SIZES: Final[dict[str, float]] = {"large": 0.7, "small": 0.35}

#: CLEVR's 8-bit colours. It hands value / 255 to the renderer as *linear* reflectance, so they look lighter.
COLORS: Final[dict[str, tuple[int, int, int]]] = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}

ATTRIBUTES: Final[tuple[Attribute, ...]] = ("size", "color", "material", "shape")
DIRECTIONS: Final[tuple[Direction, ...]] = ("left", "right", "front", "behind")

VALUES: Final[dict[Attribute, tuple[str, ...]]] = {
    "size": tuple(SIZES),
    "color": tuple(COLORS),
    "material": MATERIALS,
    "shape": SHAPES,
}
