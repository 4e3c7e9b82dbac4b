"""Bundles of several files that know their digests: what is damaged is named, and nothing is read twice."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file

from shared.semantic import manifest as manifest_module
from shared.semantic.bundle import Bundle, BundleError, tensor_shapes, write_bundle
from shared.semantic.config import SemanticConfigError, parse_config
from shared.semantic.manifest import check_all, header_digest, read_manifest
from shared.semantic.weights import plan_shards, read_headers, read_tensors
from tests.fuzz.oracle import as_file, check_complaint
from tests.unit.shared.samples import json_values
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer

Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Weights in bfloat16, in several files."""
    path = tmp_path_factory.mktemp("sharded") / "tiny"
    state = tiny_model(tiny_config()).state_dict()
    tokenizer = tiny_tokenizer().tokenizer.to_str()
    return write_bundle(
        path, tiny_config(), state.__getitem__, tokenizer, "#\n", torch.bfloat16, shard_bytes=20_000
    )


@pytest.fixture
def copy(sharded: Bundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sharded.path, tmp_path / "copy"))


def test_shards_come_back_as_one_model(sharded: Bundle) -> None:
    assert len(sharded.manifest.weights) > 2
    assert sharded.dtype == torch.bfloat16
    expected = tiny_model(tiny_config()).state_dict()
    for name, tensor in sharded.model("all").state_dict().items():
        codec = name.startswith("codec.")
        assert tensor.dtype == (torch.float32 if codec else torch.bfloat16)
        torch.testing.assert_close(tensor, expected[name].bfloat16().to(tensor.dtype), atol=0, rtol=0)


def test_a_shard_is_no_larger_than_asked_unless_one_tensor_is() -> None:
    shapes = {"a": (100,), "b": (100,), "c": (1_000,), "d": (10,)}
    assert plan_shards(shapes, 2, 400) == [["a", "b"], ["c"], ["d"]]


def test_every_shard_is_checked_in_full_on_request(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_module, "READ_WHOLE_BYTES", 0)
    last = copy / read_manifest(copy).weights[-1]
    data = bytearray(last.read_bytes())
    data[-1] ^= 1
    last.write_bytes(data)
    Bundle.load(copy)  # a large file's content is not read at a load
    with pytest.raises(BundleError, match=f"{last.name}: sha256 is"):
        check_all(copy, read_manifest(copy))


def test_a_changed_header_of_a_large_file_is_found_at_a_load(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_module, "READ_WHOLE_BYTES", 0)
    last = copy / read_manifest(copy).weights[-1]
    last.write_bytes(last.read_bytes().replace(b"BF16", b"F16 ", 1))
    with pytest.raises(BundleError, match=f"{last.name}: header_sha256 is"):
        Bundle.load(copy)


def _manifest(change: Callable[[dict[str, object]], object]) -> Damage:
    def apply(path: Path) -> None:
        data = json.loads((path / "bundle.json").read_text())
        change(data)
        (path / "bundle.json").write_text(json.dumps(data))

    return apply


def _shard(change: Callable[[Path], object]) -> Damage:
    def apply(path: Path) -> None:
        change(path / read_manifest(path).weights[0])

    return apply


def _files(change: Callable[[dict[str, dict[str, object]]], object]) -> Damage:
    return _manifest(lambda data: change(data["files"]))  # type: ignore[arg-type]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "file", "what"),
    [
        (_manifest(lambda d: d.update(format=3)), "bundle.json", "format: expected 2, found 3"),
        (_manifest(lambda d: d.pop("format")), "bundle.json", "format: expected 2, found None"),
        (_manifest(lambda d: d.update(surprise=1)), "bundle.json", "surprise"),
        (_files(lambda f: f.pop("config.json")), "bundle.json", "config.json is not listed"),
        (_files(lambda f: f.update({"../x": f["config.json"]})), "bundle.json", "found '../x'"),
        (_files(lambda f: f["config.json"].update(bytes=-1)), "bundle.json", "files.config.json.bytes"),
        (_files(lambda f: f["tokenizer.json"].update(sha256="no")), "bundle.json", "tokenizer.json.sha256"),
        (lambda p: (p / "bundle.json").write_text("{"), "bundle.json", "not JSON"),
        (lambda p: _flip(p / "config.json"), "config.json", "sha256 is"),
        (lambda p: _flip(p / "tokenizer.json"), "tokenizer.json", "sha256 is"),
        (_shard(_flip), "weights-00001-of", "sha256 is"),
        (_shard(lambda p: p.write_bytes(p.read_bytes()[:-100])), "weights-00001-of", "half-written"),
        (_shard(Path.unlink), "weights-00001-of", "no such file"),
    ],
)
def test_damage_is_named(copy: Path, damage: Damage, file: str, what: str) -> None:
    damage(copy)
    with pytest.raises(BundleError) as caught:
        Bundle.load(copy)
    message = str(caught.value)
    assert file in message
    assert what in message
    assert "\n" not in message


def test_a_wrong_shape_names_file_tensor_and_both_shapes(bundle: Bundle, tmp_path: Path) -> None:
    path = Path(shutil.copytree(bundle.path, tmp_path / "copy"))
    (path / "bundle.json").unlink()
    tensors = load_file(path / "weights.safetensors")
    save_file(tensors | {"codec.erasure_D": torch.ones(7)}, path / "weights.safetensors")
    with pytest.raises(BundleError) as caught:
        Bundle.load(path)
    for part in ("weights.safetensors: tensor codec.erasure_D", "shape [7]", "expected [32]"):
        assert part in str(caught.value)


def test_another_models_folder_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "gemma2"}')
    with pytest.raises(BundleError, match=r"tokenizer.json: no such file"):
        Bundle.load(tmp_path)


def test_a_write_that_fails_leaves_nothing(sharded: Bundle, tmp_path: Path) -> None:
    def broken(name: str) -> torch.Tensor:
        if name.startswith("vision."):
            raise OSError("no space left")
        return torch.zeros(tensor_shapes(tiny_config())[name])

    tokenizer = tiny_tokenizer().tokenizer.to_str()
    with pytest.raises(OSError, match="no space left"):
        write_bundle(tmp_path / "b", tiny_config(), broken, tokenizer, "#\n", torch.float32, 20_000)
    assert list(tmp_path.iterdir()) == []


_WEIGHTS = save({"a": torch.ones(3, 2), "b": torch.zeros(4, dtype=torch.bfloat16)})


@given(st.data())
def test_damaged_weights_are_tensors_or_named(data: st.DataObject) -> None:
    damaged = bytearray(_WEIGHTS)
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255) | st.sampled_from(b'[]{}",:0F'))
    cut = data.draw(st.just(len(damaged)) | st.integers(0, len(damaged)))
    with as_file(bytes(damaged[:cut])) as path:
        for read in (lambda: read_tensors(read_headers([path]).values()), lambda: header_digest(path)):
            try:
                read()
            except BundleError as error:
                check_complaint(error, f"{path}: ")


_FIELDS = [(name,) for name in tiny_config().model_dump()] + [
    (section, name)
    for section, content in tiny_config().model_dump().items()
    if isinstance(content, dict)
    for name in content
]


@given(st.sampled_from(_FIELDS), json_values())
def test_any_value_in_any_field_of_a_bundles_configuration(path: tuple[str, ...], value: object) -> None:
    data = tiny_config().model_dump(mode="json")
    node = data
    for name in path[:-1]:
        node = node[name]
    node[path[-1]] = value
    try:
        parse_config(data)
    except SemanticConfigError as error:
        check_complaint(error)


_TOO_MUCH = ["[" * 100_000, "9" * 5_000, '{"format": ' + "9" * 4_000 + "}", '{"format": "\\u001b"}']


@pytest.mark.parametrize("text", _TOO_MUCH, ids=["deep", "digits", "version", "escape"])
def test_a_manifest_that_is_too_much_is_named(copy: Path, text: str) -> None:
    (copy / "bundle.json").write_text(text)
    with pytest.raises(BundleError) as caught:
        read_manifest(copy)
    check_complaint(caught.value, f"{copy / 'bundle.json'}: ")
