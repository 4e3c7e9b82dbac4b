"""Bundles: what was saved comes back, and anything that does not fit is named in one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from shared.semantic.bundle import Bundle, BundleError, save_bundle
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture
def copy(bundle: Bundle, tmp_path: Path) -> Path:
    """A copy that says nothing of its files (format 1), so that what is in them is looked at."""
    path = Path(shutil.copytree(bundle.path, tmp_path / "copy"))
    (path / "bundle.json").unlink()
    return path


def test_round_trip(bundle: Bundle) -> None:
    expected = tiny_model(tiny_config()).state_dict()
    found = Bundle.load(bundle.path).model("all").state_dict()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, atol=0, rtol=0)


def test_buffers_of_a_loaded_model_are_those_of_a_made_one(bundle: Bundle) -> None:
    expected = dict(tiny_model(tiny_config()).named_buffers())
    for name, buffer in bundle.model("all").named_buffers():
        torch.testing.assert_close(buffer, expected[name], atol=0, rtol=0)


def test_format_1_is_read_and_has_the_same_fingerprint(copy: Path, bundle: Bundle) -> None:
    assert Bundle.load(copy).fingerprint == bundle.fingerprint


def test_same_content_same_fingerprint(bundle: Bundle, tmp_path: Path) -> None:
    again = save_bundle(
        tmp_path / "b", tiny_model(tiny_config()), tiny_tokenizer(), "# other card\n", torch.float32
    )
    assert again.fingerprint == bundle.fingerprint == Bundle.load(bundle.path).fingerprint
    other = save_bundle(tmp_path / "b", tiny_model(tiny_config(), 1), tiny_tokenizer(), "#\n", torch.float32)
    assert other.fingerprint != bundle.fingerprint
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_each_role_reads_its_own_tensors(bundle: Bundle) -> None:
    sender, receiver = bundle.model("sender"), bundle.model("receiver")
    assert not next(sender.vision.parameters()).is_meta
    assert next(sender.codec.decoders.parameters()).is_meta
    assert next(receiver.vision.parameters()).is_meta
    assert not next(receiver.codec.decoders.parameters()).is_meta
    assert not any(parameter.is_meta for parameter in receiver.llm.parameters())
    with pytest.raises(BundleError, match="loaded for the receiver"):
        Bundle.load(bundle.path, roles="receiver").model("sender")


def test_a_sender_reads_the_layers_below_the_split_only(bundle: Bundle) -> None:
    layers = bundle.model("sender", split_layer=1).llm.model.layers
    read = [not any(parameter.is_meta for parameter in layer.parameters()) for layer in layers]
    assert read == [True, False, False, False]


def _config(field: str, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        data = json.loads((path / "config.json").read_text())
        node = data
        *parents, last = field.split(".")
        for name in parents:
            node = node[name]
        node[last] = value
        (path / "config.json").write_text(json.dumps(data))

    return change


def _weights(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        tensors = load_file(path / "weights.safetensors")
        change(tensors)
        save_file(tensors, path / "weights.safetensors")

    return apply


def _write(name: str, data: bytes) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        (path / name).write_bytes(data)

    return apply


@pytest.mark.parametrize(
    ("damage", "file", "what"),
    [
        (_config("llm.hidden", "wide"), "config.json", "llm.hidden"),
        (_config("llm.surprise", 1), "config.json", "llm.surprise"),
        (_config("vision.patch_size", 5), "config.json", "patch_size"),
        (_config("llm.vocab", 10), "tokenizer.json", "llm.vocab"),
        (_config("uses_per_token", 5), "weights.safetensors", "codec."),
        (_write("config.json", b"{"), "config.json", "not JSON"),
        (_write("config.json", b"[]"), "config.json", "config"),
        (_write("tokenizer.json", b"{}"), "tokenizer.json", "not a tokenizer"),
        (_write("weights.safetensors", b"no"), "weights.safetensors", "not a safetensors file"),
        (
            _weights(lambda t: t.__delitem__("codec.erasure_D")),
            "weights.safetensors",
            "codec.erasure_D is missing",
        ),
        (_weights(lambda t: t.update(extra=torch.ones(1))), "weights.safetensors", "extra is not expected"),
        (
            _weights(lambda t: t.update({"codec.erasure_D": torch.ones(32, dtype=torch.int64)})),
            "weights.safetensors",
            "codec.erasure_D has type I64",
        ),
    ],
)
def test_damage_is_named(copy: Path, damage: Callable[[Path], None], file: str, what: str) -> None:
    damage(copy)
    with pytest.raises(BundleError) as caught:
        Bundle.load(copy)
    message = str(caught.value)
    assert file in message
    assert what in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "weights.safetensors"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: no such file"):
        Bundle.load(copy)


def test_one_changed_bit_changes_the_fingerprint(copy: Path, bundle: Bundle) -> None:
    data = bytearray((copy / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (copy / "weights.safetensors").write_bytes(data)
    assert Bundle.load(copy).fingerprint != bundle.fingerprint
