import numpy as np
import pytest

from launch.datasets.clevr_style.camera import BASE_LOCATION, Camera, Solid, object_ids, visible_fractions

RESOLUTION = (96, 64)


def test_the_origin_is_in_the_middle_at_the_cameras_distance() -> None:
    x, y, depth = Camera(BASE_LOCATION).project((0, 0, 0), (480, 320))
    assert (x, y) == pytest.approx((240, 160))
    assert depth == pytest.approx(np.linalg.norm(BASE_LOCATION))


def test_projection_follows_clevr() -> None:
    # Objects of CLEVR_train_000024, whose camera was found by least squares over all of its objects.
    points = [(-2.1513, 0.2136, 0.35), (2.4499, -2.2809, 0.7), (-1.6821, 1.9411, 0.7), (2.9695, 0.3561, 0.35)]
    pixels = [(186, 116, 12.816), (240, 216, 8.117), (251, 91, 13.404), (366, 190, 9.537)]
    camera = Camera((7.4963, -6.9657, 5.0855))
    for point, pixel in zip(points, pixels, strict=True):
        x, y, depth = camera.project(point, (480, 320))
        assert (x, y) == pytest.approx(pixel[:2], abs=0.75)
        assert depth == pytest.approx(pixel[2], abs=0.02)


@pytest.mark.parametrize("shape", ["cube", "sphere", "cylinder"])
def test_a_solid_is_seen_where_its_centre_projects(shape: str) -> None:
    camera = Camera(BASE_LOCATION)
    solids = [Solid(shape, 0.7, (0.0, 1.0, 0.7), 0.3), Solid(shape, 0.35, (2.0, -2.0, 0.35), 1.0)]
    ids = object_ids(camera, solids, RESOLUTION)
    for index, solid in enumerate(solids):
        x, y, _ = camera.project(solid.center, RESOLUTION)
        assert ids[int(y), int(x)] == index
    assert ids[0, 0] == len(solids)


def test_a_nearer_solid_hides_a_farther_one() -> None:
    camera = Camera(BASE_LOCATION)
    behind = Solid("sphere", 0.35, (-1.0, 0.87, 0.35), 0.0)
    before = Solid("cube", 0.7, (0.2, -0.17, 0.7), 0.0)
    alone = visible_fractions(camera, [behind], RESOLUTION)[0]
    hidden, front = visible_fractions(camera, [behind, before], RESOLUTION)
    assert 0 <= hidden < alone
    assert front == visible_fractions(camera, [before], RESOLUTION)[0]


def test_a_spheres_area_is_that_of_its_outline() -> None:
    camera = Camera(BASE_LOCATION)
    fraction = visible_fractions(camera, [Solid("sphere", 0.7, (0.0, 0.0, 0.0), 0.0)], (480, 320))[0]
    distance = float(np.linalg.norm(BASE_LOCATION))
    radius = 35 / 32 * 480 * 0.7 / np.sqrt(distance**2 - 0.7**2)
    assert fraction * 480 * 320 == pytest.approx(np.pi * radius**2, rel=0.01)
