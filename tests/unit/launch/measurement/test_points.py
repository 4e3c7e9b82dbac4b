"""Operating points of every scheme as they are written, and what they set."""

import pytest

from launch.errors import LaunchError
from launch.measurement.grid import Place
from launch.measurement.points import Point
from shared.config_file import parse_config


@pytest.mark.parametrize(
    ("text", "tokens", "prefixes"),
    [
        ("all", None, (8, 8)),
        ("16", 16, (8, 8)),
        ("36x4", 36, (4, 8)),
        ("allx1", None, (1, 8)),
        ("m4sc:16", 16, (8, 8)),
        ("18t5", 18, (8, 5)),
        ("allx2t3", None, (2, 3)),
    ],
)
def test_sizes_of_the_own_scheme(text: str, tokens: int | None, prefixes: tuple[int, int]) -> None:
    point = Point.parse(text)
    size = point.size
    assert (point.scheme, size.image_tokens) == ("m4sc", tokens)
    assert (size.image_eighths, size.text_eighths) == prefixes
    assert point.label == text.removeprefix("m4sc:")
    assert Point.parse("all") == Point() == Point.parse("m4sc")


@pytest.mark.parametrize(
    ("text", "label", "sets"),
    [
        ("webp_ldpc", "webp_ldpc:q50", {"baseline.quality": "50", "baseline.image_uses": "null"}),
        ("webp_ldpc:u504", "webp_ldpc:u504", {"baseline.quality": "null", "baseline.image_uses": "504"}),
        ("webp_ldpc:lossless", "webp_ldpc:lossless", {"baseline.quality": "lossless"}),
        ("deepsc_vqa", "deepsc_vqa:x8", {"rate.image_eighths": "8"}),
        ("deepsc_vqa:x2", "deepsc_vqa:x2", {"rate.image_eighths": "2"}),
        ("answer_only", "answer_only", {"scheme": "answer_only", "rate.image_tokens": "null"}),
        ("docs.examples.plain_scheme", "docs.examples.plain_scheme", {}),
    ],
)
def test_sizes_of_other_schemes_and_what_they_set(text: str, label: str, sets: dict[str, str]) -> None:
    point = Point.parse(text)
    assert point.label == label
    assert Point.parse(label) == point
    found = dict(override.split("=") for override in point.overrides)
    assert found["scheme"] == text.partition(":")[0]
    assert sets.items() <= found.items()


@pytest.mark.parametrize("text", ["all", "18x4t4", "webp_ldpc:u504", "webp_ldpc:lossless", "deepsc_vqa:x2"])
def test_what_a_point_sets_is_a_configuration(text: str) -> None:
    place = Place(2, 1.0, 5.0, Point.parse(text), True)
    assert "/" not in place.name
    assert ":" not in place.name
    values: dict[str, dict[str, object]] = {}
    for override in place.point.overrides:
        key, value = override.split("=")
        section, _, name = key.partition(".")
        given = None if value == "null" else value
        if name:
            values.setdefault(section, {})[name] = given
        else:
            values[section] = given  # type: ignore[assignment]
    assert parse_config(values, "test").scheme == place.point.scheme


@pytest.mark.parametrize("text", ["", "0", "some", "16x9", "16x0", "16t9", "16t4x4", "x4", "-3", "16 x 4"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(LaunchError, match=r"--points .*expected all, a number") as raised:
        Point.parse(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("webp_ldpc:", "expected q0 to q100"),
        ("webp_ldpc:18", "expected q0 to q100"),
        ("deepsc_vqa:x9", "expected x1 to x8"),
        ("answer_only:x1", "expected answer_only alone"),
        ("nobody:x1", "scheme: 'nobody' is not known"),
    ],
)
def test_other_points_are_refused(text: str, message: str) -> None:
    with pytest.raises(LaunchError, match=message) as raised:
        Point.parse(text)
    assert "\n" not in str(raised.value)
