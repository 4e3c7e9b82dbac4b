import numpy as np
import pytest

from launch.datasets.clevr_style.mesh import BEVEL, Mesh, rounded_cube, rounded_cylinder


@pytest.mark.parametrize(("mesh", "volume"), [(rounded_cube(), 8.0), (rounded_cylinder(), 2 * np.pi)])
def test_solids_fill_their_box_and_face_outwards(mesh: Mesh, volume: float) -> None:
    assert mesh.vertices.min(axis=0) == pytest.approx([-1, -1, -1], abs=1e-3)
    assert mesh.vertices.max(axis=0) == pytest.approx([1, 1, 1], abs=1e-3)
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1.0, abs=1e-5)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    # the divergence theorem: a sum of signed tetrahedra, positive only if faces wind outwards
    enclosed = float(np.sum(np.cross(a, b) * c) / 6)
    assert (1 - BEVEL) * volume < enclosed < volume
    face_normals = np.cross(b - a, c - a)
    agree = np.sum(face_normals * mesh.normals[mesh.faces[:, 0]], axis=1)
    assert (agree >= -1e-9).all()
