"""Bundles of DeepSC and DeepSC-VQA: both halves come back, and those of others are refused."""

from pathlib import Path

import pytest
import torch

from shared.deepsc.bundle import DeepscBundle
from shared.semantic.bundle import Bundle
from shared.semantic.manifest import WEIGHTS_FILE, BundleError
from shared.shipped import bundle_folder
from tests.unit.shared.deepsc.tiny import CONFIGS, TEXT, VQA, tiny_bundle, tiny_model


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: c.scheme)
def test_both_ends_come_back(tmp_path: Path, config: object) -> None:
    assert config in CONFIGS
    bundle = tiny_bundle(tmp_path / "b", config)  # type: ignore[arg-type]
    torch.manual_seed(0)
    model = tiny_model(bundle.config)
    for which in ("sender", "receiver"):
        found = bundle.end(which).state_dict()  # type: ignore[arg-type]
        wanted = getattr(model, which).state_dict()
        assert found.keys() == wanted.keys()
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert bundle.config == config
    assert not list(tmp_path.glob(".b-*"))


def test_bundles_of_other_schemes_are_refused_in_one_line(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "text", TEXT)
    tiny_bundle(tmp_path / "vqa", VQA)
    expected = "scheme: expected weights for {!r}, found those for {!r}"
    for path, asked, found in (
        (tmp_path / "text", "deepsc_vqa", "deepsc"),
        (tmp_path / "vqa", "deepsc", "deepsc_vqa"),
        (bundle_folder("micro"), "deepsc", "m4sc"),
    ):
        with pytest.raises(BundleError) as raised:
            DeepscBundle.load(path, asked)
        assert str(raised.value) == f"{path}/config.json: {expected.format(asked, found)}"
    with pytest.raises(BundleError, match=expected.format("m4sc", "deepsc")):
        Bundle.load(tmp_path / "text")


def test_damage_is_found(tmp_path: Path) -> None:
    tiny_bundle(tmp_path / "b", TEXT)
    weights = tmp_path / "b" / WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(BundleError, match="sha256"):
        DeepscBundle.load(tmp_path / "b", "deepsc")


def test_texts_are_counted_in_words(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b", TEXT)
    for text in ("", "big red cube " * 40):
        with pytest.raises(ValueError, match=r"text: .* tokens, 1 to 40 are accepted"):
            bundle.words(text)
    assert 0 < len(bundle.words(bundle.fit("big red cube " * 40))) <= 40
