"""Making bundles: random or pre-trained, whole or not at all, and never over anything else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from launch.bundles import create as create_module
from launch.bundles.create import CreateError, Place, create_pretrained, create_random, preset
from launch.bundles.fresh import fresh_tensor
from launch.bundles.hub import SourceError
from launch.bundles.pretrained import parameters
from shared.semantic.bundle import Bundle, BundleError, tensor_shapes
from shared.semantic.config import PAPER
from tests.unit.launch.bundles.models import gemma_folder, siglip_folder
from tests.unit.shared.semantic.tiny import tiny_config, tiny_tokenizer

CONFIG = tiny_config(softcap=50.0)


def quiet(line: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return siglip_folder(folder / "siglip", CONFIG), gemma_folder(folder / "gemma", CONFIG)


@pytest.fixture
def vision(models: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(models[0], tmp_path / "siglip"))


@pytest.fixture
def llm(models: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(models[1], tmp_path / "gemma"))


def test_random_is_a_function_of_the_seed(tmp_path: Path, tokenizer: Path) -> None:
    made = [
        create_random(CONFIG, seed, Place(tmp_path / name, shard_bytes=size), tokenizer, quiet)
        for name, seed, size in (("a", 3, 10_000), ("b", 3, 10_000), ("c", 4, 10_000), ("d", 3, 2**30))
    ]
    assert made[0].fingerprint == made[1].fingerprint != made[2].fingerprint
    assert made[0].dtype == torch.bfloat16
    first, whole = made[0].model("all").state_dict(), made[3].model("all").state_dict()
    assert all(torch.equal(first[name], whole[name]) for name in first)  # files do not matter
    assert "None\nof it is trained" in (tmp_path / "a" / "README.md").read_text()


def test_random_weights_are_of_the_right_size_of_numbers() -> None:
    assert fresh_tensor("llm.model.norm.weight", (8,), 0).eq(0).all()
    assert fresh_tensor("vision.model.post_layernorm.weight", (8,), 0).eq(1).all()
    assert fresh_tensor("codec.decoders.public.linear.bias", (8,), 0).eq(0).all()
    wide = fresh_tensor("llm.model.layers.0.mlp.down_proj.weight", (64, 400), 0)
    assert wide.std() == pytest.approx(1 / 20, rel=0.05)
    base = fresh_tensor("projector.layers.0.base_OI", (64, 400), 0)
    assert base.abs().max() <= 1 / 20
    assert fresh_tensor("projector.layers.0.coefficients_OIG", (9, 9, 8), 0).std() == pytest.approx(0.3, 0.1)


def test_pretrained_tensors_come_out_as_they_went_in(vision: Path, llm: Path, tmp_path: Path) -> None:
    bundle = create_pretrained(CONFIG, str(vision), str(llm), 5, Place(tmp_path / "out"), quiet)
    found = bundle.model("all").state_dict()
    theirs = load_file(vision / "model.safetensors")
    key = "encoder.layers.0.mlp.fc1.weight"
    assert torch.equal(found[f"vision.model.{key}"], theirs[f"vision_model.{key}"].bfloat16())
    index = json.loads((llm / "model.safetensors.index.json").read_text())["weight_map"]
    key = "model.layers.3.mlp.down_proj.weight"
    assert torch.equal(found[f"llm.{key}"], load_file(llm / index[key])[key])
    assert len(set(index.values())) > 2
    fresh = fresh_tensor("projector.layers.0.base_OI", (12, 16), 5, torch.bfloat16)
    assert torch.equal(found["projector.layers.0.base_OI"], fresh)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "fresh (seed 5) and not trained" in card
    assert "`siglip/model.safetensors`" in card
    assert str(tmp_path) not in card


def test_nothing_is_replaced_without_being_asked(tmp_path: Path, tokenizer: Path) -> None:
    out = tmp_path / "out"
    first = create_random(CONFIG, 0, Place(out), tokenizer, quiet)
    with pytest.raises(CreateError, match="give --force"):
        create_random(CONFIG, 1, Place(out), tokenizer, quiet)
    assert Bundle.load(out).fingerprint == first.fingerprint
    second = create_random(CONFIG, 1, Place(out, force=True), tokenizer, quiet)
    assert Bundle.load(out).fingerprint == second.fingerprint != first.fingerprint
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(CreateError, match="no bundle: not replaced"):
        create_random(CONFIG, 1, Place(tmp_path / "home", force=True), tokenizer, quiet)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "out"]


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr(create_module.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(CreateError, match=r"needs 0\.\d GB, 0\.0 GB are free"):
        create_random(CONFIG, 0, Place(tmp_path / "out"), tokenizer, quiet)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_making_leaves_nothing(tmp_path: Path, tokenizer: Path) -> None:
    def stop(line: str) -> None:
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        create_random(CONFIG, 0, Place(tmp_path / "out"), tokenizer, stop)
    assert list(tmp_path.iterdir()) == []


def test_paper_at_full_size_has_the_papers_parameters() -> None:
    assert preset("paper") is PAPER
    counts = parameters(tensor_shapes(PAPER))
    assert counts["projector"] == 76_677_120
    assert 2.5e9 < counts["llm"] < 2.7e9
    with pytest.raises(CreateError, match="--preset huge: expected one of micro, paper"):
        preset("huge")


def _tensor(name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> Callable[[Path], None]:
    """Change or remove a tensor of whichever file it is in."""

    def apply(folder: Path) -> None:
        for path in folder.glob("*.safetensors"):
            tensors = load_file(path)
            if name in tensors:
                tensor = change(tensors.pop(name))
                save_file(tensors | ({} if tensor is None else {name: tensor}), path)
                return
        raise AssertionError(name)

    return apply


def _extra(folder: Path) -> None:
    path = sorted(folder.glob("*.safetensors"))[0]
    save_file(load_file(path) | {"model.layers.0.surprise": torch.ones(1)}, path)


def _field(name: str, value: object, part: str | None = None) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        data = json.loads((folder / "config.json").read_text())
        (data if part is None else data[part])[name] = value
        (folder / "config.json").write_text(json.dumps(data))

    return apply


def _index(folder: Path) -> None:
    index = {"weight_map": {"model.norm.weight": "../elsewhere.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


Q = "model.layers.1.self_attn.q_proj.weight"
FC = "vision_model.encoder.layers.0.mlp.fc1.weight"


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (_tensor(Q, lambda t: t[:3]), [f"tensor {Q} has shape [3, 32], expected [32, 32]", "model-0000"]),
        (
            _tensor(Q, lambda t: None),
            ["layers.1.self_attn.q_proj.weight: expected shape [32, 32], found none"],
        ),
        (_tensor(Q, lambda t: t.long()), [f"tensor {Q} has type I64"]),
        (_extra, ["tensor model.layers.0.surprise is not expected"]),
        (_field("hidden_size", 64), ["config.json: hidden_size: expected 32, found 64"]),
        (_field("attn_logit_softcapping", None), ["attn_logit_softcapping: expected 50.0, found None"]),
        (_field("rope_theta", 5.0), ["rope_theta: expected 10000.0, found 5.0"]),
        (_field("model_type", "siglip"), ["model_type: expected gemma2, found 'siglip'"]),
        (lambda f: (f / "config.json").write_text("{"), ["config.json: no model configuration"]),
        (lambda f: (f / "config.json").unlink(), ["config.json: no such file"]),
        (lambda f: (f / "tokenizer.json").unlink(), ["tokenizer.json: no such file"]),
        (_index, ["'../elsewhere.safetensors' is no safetensors file name"]),
        (lambda f: (f / "model.safetensors.index.json").write_text("[]"), ["expected an object with a weig"]),
        (lambda f: next(f.glob("*-00002-*")).unlink(), ["is named but not there"]),
        (lambda f: next(f.glob("*-00002-*")).write_bytes(b"half"), ["not a safetensors file"]),
    ],
)
def test_language_models_that_do_not_fit(
    vision: Path, llm: Path, tmp_path: Path, damage: Callable[[Path], None], expected: list[str]
) -> None:
    damage(llm)
    _refused(vision, llm, tmp_path, [*expected, "gemma"])


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (
            _tensor(FC, lambda t: t[:3]),
            [f"model.safetensors: tensor {FC} has shape [3, 16], expected [24, 16]"],
        ),
        (
            _tensor(FC, lambda t: None),
            ["encoder.layers.0.mlp.fc1.weight: expected shape [24, 16], found none"],
        ),
        (_field("num_attention_heads", 4, "vision_config"), ["num_attention_heads: expected 2, found 4"]),
        (_pickled, ["expected model.safetensors", "pytorch_model.bin: pickled weights are never read"]),
    ],
)
def test_vision_towers_that_do_not_fit(
    vision: Path, llm: Path, tmp_path: Path, damage: Callable[[Path], None], expected: list[str]
) -> None:
    damage(vision)
    _refused(vision, llm, tmp_path, [*expected, "siglip"])


def test_a_tokenizer_whose_ids_are_others_is_refused(vision: Path, llm: Path, tmp_path: Path) -> None:
    text = (llm / "tokenizer.json").read_text().replace('"<bos>"', '"<start>"')
    (llm / "tokenizer.json").write_text(text)
    _refused(vision, llm, tmp_path, ["tokenizer.json: token <bos>: expected id 2, found None"])


def _refused(vision: Path, llm: Path, tmp_path: Path, expected: list[str]) -> None:
    with pytest.raises((SourceError, BundleError)) as caught:
        create_pretrained(CONFIG, str(vision), str(llm), 0, Place(tmp_path / "out"), quiet)
    message = str(caught.value)
    for part in expected:
        assert part in message
    assert "\n" not in message
    assert not (tmp_path / "out").exists()
