"""Ray missing is said in one line, before anything starts."""

import importlib.util

import pytest

from launch.cluster import require_ray
from launch.errors import LaunchError


def test_ray_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    require_ray()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LaunchError, match="Ray is missing: install it") as caught:
        require_ray()
    assert "\n" not in str(caught.value)
