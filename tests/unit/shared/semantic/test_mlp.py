"""The perceptron as a projector: as many parameters as the KAN, and a bundle like any other."""

from pathlib import Path

import pytest
import torch

from launch.experiments.variants import projector_parameters, with_mlp
from shared.semantic.bundle import Bundle, BundleError, save_bundle, tensor_shapes
from shared.semantic.config import MICRO, PAPER, SemanticConfig, SemanticConfigError, parse_config
from shared.semantic.mlp import MlpProjector, hidden_for
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender
from tests.unit.shared.semantic.tiny import pictures, tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path: Path = tmp_path_factory.mktemp("bundles") / "mlp"
    model = tiny_model(with_mlp(tiny_config()))
    return save_bundle(path, model, tiny_tokenizer(), "# mlp\n", torch.float32)


def test_the_hidden_width_by_hand() -> None:
    # 5 (3 + 2 + 1) + 2 = 32 parameters; 33 and 34 are nearer to five units than to six, which have 38
    assert [hidden_for(wanted, 3, 2) for wanted in (32, 34, 36)] == [5, 5, 6]
    assert sum(p.numel() for p in MlpProjector(3, 5, 2).parameters()) == 32
    assert hidden_for(1, 3, 2) == 1


@pytest.mark.parametrize("config", [MICRO, PAPER, tiny_config()], ids=lambda c: c.name)
def test_as_many_parameters_as_the_kan(config: SemanticConfig) -> None:
    kan, mlp = projector_parameters(config), projector_parameters(with_mlp(config))
    assert abs(mlp / kan - 1) < 0.01


def test_micro_by_hand() -> None:
    assert projector_parameters(MICRO) == 10 * (192 * 128 + 128 * 128)
    mlp = with_mlp(MICRO)
    assert mlp.mlp is not None
    assert mlp.mlp.hidden == 1_276  # (409,600 - 128) / (192 + 128 + 1) = 1275.6
    assert projector_parameters(mlp) == 1_276 * 321 + 128


def test_one_kind_of_projector_and_no_more() -> None:
    data = MICRO.model_dump()
    for change in ({"mlp": {"hidden": 4}}, {"kan": None}):
        with pytest.raises(SemanticConfigError, match="expected one of kan and mlp"):
            parse_config({**data, **change})
    with pytest.raises(SemanticConfigError, match=r"mlp\.hidden"):
        parse_config({**data, "kan": None, "mlp": {"hidden": 0}})


def test_it_loads_and_sends_what_the_model_computes(made: Bundle) -> None:
    assert made.config.kan is None
    assert {n for n in tensor_shapes(made.config) if n.startswith("projector.")} == {
        f"projector.layers.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")
    }
    images = pictures(2)
    sent = SemanticSender(made, split_layer=0).encode_images(images)
    model = made.model()
    first, _, last = model.projector.layers
    seen = model.vision(model.vision.preprocess(images))
    by_hand = torch.nn.functional.gelu(seen @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(sent, by_hand, rtol=1e-4, atol=1e-5)


def test_sender_to_receiver(made: Bundle) -> None:
    sender, receiver = SemanticSender(made), SemanticReceiver(made)
    answers = []
    for tokens in sender.encode_images(pictures(2)):
        symbols = sender.channel_encode(tokens, "public")
        heard = receiver.channel_decode(symbols, torch.full((len(symbols),), 1e-3).numpy(), "public")
        states = ["received"] * len(heard)
        request = AnswerRequest("caption", heard, states, max_new_tokens=4)  # type: ignore[arg-type]
        answers.append(receiver.answer(request).token_ids)
    assert all(answers)


def test_weights_of_the_other_kind_are_refused(made: Bundle, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(tiny_config().model_dump_json())
    for name in ("tokenizer.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((made.path / name).read_bytes())
    with pytest.raises(BundleError, match=r"tensor projector\.layers\.0\.\w+ is missing"):
        Bundle.load(tmp_path)
