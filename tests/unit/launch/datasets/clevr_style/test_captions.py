from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.scene import Scene


def test_a_caption_names_each_object_from_left_to_right(scenes: list[Scene]) -> None:
    for scene in scenes:
        phrases = caption(scene).removesuffix(".").replace(" and ", ", ").split(", ")
        ordered = sorted(scene["objects"], key=lambda item: item["pixel_coords"][0])
        assert phrases == [f"a {o['size']} {o['color']} {o['material']} {o['shape']}" for o in ordered]


def test_a_single_object_needs_no_and(scenes: list[Scene]) -> None:
    alone: Scene = {**scenes[0], "objects": scenes[0]["objects"][:1]}
    item = alone["objects"][0]
    assert caption(alone) == f"a {item['size']} {item['color']} {item['material']} {item['shape']}."
