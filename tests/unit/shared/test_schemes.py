"""Schemes by name, and what each refuses."""

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from shared.config_file import ConfigError, load_config, parse_config
from shared.schemes import SCHEMES, Scheme, half, scheme_of

SHIPPED = Path("launch/configs")


@pytest.mark.parametrize("name", SCHEMES)
def test_both_halves_of_every_scheme_are_there(name: str) -> None:
    assert callable(half(SCHEMES[name].sender))
    assert callable(half(SCHEMES[name].receiver))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("shipped", ["demo", "measure", "faults"])
def test_a_shipped_configuration_runs_with_every_scheme(name: str, shipped: str) -> None:
    change = (f"scheme={name}",)
    asked = load_config(SHIPPED / f"{shipped}.yaml").workload.tasks
    if set(asked) <= set(SCHEMES[name].tasks):
        assert load_config(SHIPPED / f"{shipped}.yaml", change).scheme == name
    else:
        with pytest.raises(ConfigError, match=rf"workload.tasks: scheme '{name}' serves .*, not "):
            load_config(SHIPPED / f"{shipped}.yaml", change)
        if "vqa" in SCHEMES[name].tasks:
            load_config(SHIPPED / f"{shipped}.yaml", (*change, "workload.tasks=[vqa]"))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"scheme": "webp"}, "scheme: 'webp' is not known, expected one of m4sc, webp_ldpc, caption_ldpc, "),
        ({"scheme": "no.such.module"}, "scheme: no.such.module cannot be imported"),
        ({"scheme": "shared.rate"}, "scheme: shared.rate has no SCHEME"),
        (
            {"scheme": "webp_ldpc", "rate": {"image_tokens": 18}},
            "rate.image_tokens: scheme 'webp_ldpc' does not use it, expected its default, None",
        ),
        (
            {"scheme": "deepsc"},
            "workload.tasks: scheme 'deepsc' serves text_classification, not vqa",
        ),
        (
            {"scheme": "deepsc_vqa", "split_layer": 2},
            "split_layer: scheme 'deepsc_vqa' does not use it, expected its default, None",
        ),
        (
            {"scheme": "deepsc_vqa", "channel": {"mode": "digital"}},
            "channel.mode: scheme 'deepsc_vqa' can do analog, not digital",
        ),
        (
            {"scheme": "deepsc_vqa", "question_at": "ue"},
            "question_at: scheme 'deepsc_vqa' can do bs, not ue",
        ),
        (
            {"scheme": "caption_ldpc", "cache": {"images": 4}},
            "cache.images: scheme 'caption_ldpc' does not use it, expected its default, 0",
        ),
        (
            {"scheme": "answer_only", "question_at": "ue"},
            "question_at: scheme 'answer_only' can do bs, not ue",
        ),
        (
            {"scheme": "answer_only", "control": "image_erased"},
            "control: scheme 'answer_only' can do none or another_image, not image_erased",
        ),
        ({"baseline": {"quality": 40}}, "baseline.quality: scheme 'm4sc' does not use it"),
        ({"baseline": {"qualty": 40}}, "unknown key baseline.qualty (nearest known: quality)"),
        (
            {"scheme": "webp_ldpc", "baseline": {"quality": 40, "image_uses": 9}},
            "baseline: image_uses: quality says already",
        ),
        (
            {"scheme": "webp_ldpc", "baseline": {"quality": "lossless", "image_codec": "jpeg"}},
            "baseline: quality: jpeg is not lossless",
        ),
    ],
)
def test_what_a_scheme_cannot_do_is_one_line(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as found:
        parse_config(config, "test")
    assert str(found.value).startswith(f"test: {said}")
    assert "\n" not in str(found.value)


def test_a_module_may_bring_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_package.a_scheme")
    module.SCHEME = own = Scheme("own", "a:b", "c:d", only={"users": (1, 2)})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_package", types.ModuleType("a_package"))
    monkeypatch.setitem(sys.modules, "a_package.a_scheme", module)
    assert scheme_of("a_package.a_scheme") is own
    assert parse_config({"scheme": "a_package.a_scheme", "users": 2}, "test").users == 2
    with pytest.raises(ConfigError, match="users: scheme 'own' can do 1 or 2, not 3"):
        parse_config({"scheme": "a_package.a_scheme", "users": 3}, "test")
    with pytest.raises(ValueError, match="scheme: a:b cannot be loaded"):
        half(own.sender)


def test_a_resolved_configuration_is_accepted_as_it_was_given() -> None:
    given = {"scheme": "deepsc", "workload": {"source": "imdb_file", "root": "reviews.jsonl"}}
    resolved = parse_config(given, "test")
    assert parse_config(resolved.model_dump(mode="json"), "test") == resolved
