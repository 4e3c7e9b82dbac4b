"""Packed training sequences give what inference gives for each question alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from launch.datasets.clevr_style.captions import caption
from launch.training.forward import Air, Scaffold, answer_loss, attention_loss, probe_loss, run, through_air
from launch.training.packing import Batch, Packer
from launch.training.scenes import PATCHES, imagined_scene, patches_of
from shared.semantic.codec import ChannelDecoder, ChannelEncoder
from shared.semantic.config import SemanticConfig
from shared.semantic.masks import GENERATED, IMAGE, INSTRUCTION, TEXT
from shared.semantic.model import SemanticModel
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture(scope="module")
def codec() -> TextCodec:
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def config() -> SemanticConfig:
    tiny = tiny_config(layers=6)
    vision = tiny.vision.model_copy(update={"image_size": 32})
    return tiny.model_copy(update={"vision": vision})


@pytest.fixture(scope="module")
def model(config: SemanticConfig) -> SemanticModel:
    torch.set_num_threads(1)
    return tiny_model(config)


@pytest.fixture(scope="module")
def packer(config: SemanticConfig, codec: TextCodec) -> Packer:
    return Packer(Prompts(config, codec), codec, 2, 1)


def questions(packer: Packer, amount: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    scenes = [imagined_scene(rng) for _ in range(2)]
    return packer.questions(scenes, [patches_of(s, 192, 128) for s in scenes], rng, amount)


def test_a_packed_question_is_computed_as_if_it_were_alone(packer: Packer, model: SemanticModel) -> None:
    batch, image = questions(packer, 5), torch.randn(2, PATCHES, 32)
    at_ue = torch.tensor([False, True])
    whole = run(model, batch, image, at_ue)
    for group in (1, 4):
        for row in range(2):
            keep = (batch.groups_BT[row] == group) | (batch.groups_BT[row] == 0)
            keep &= batch.segments_BT[row] != 5
            alone = replace(
                batch,
                ids_BT=batch.ids_BT[row : row + 1, keep],
                segments_BT=batch.segments_BT[row : row + 1, keep],
                groups_BT=batch.groups_BT[row : row + 1, keep],
                positions_BT=batch.positions_BT[row : row + 1, keep],
            )
            out = run(model, alone, image[row : row + 1], at_ue[row : row + 1])
            torch.testing.assert_close(out.final_BTD[0], whole.final_BTD[row, keep], atol=1e-4, rtol=1e-4)


def test_positions_start_again_for_each_question(packer: Packer) -> None:
    batch = questions(packer, 3)
    starts = {int(batch.positions_BT[0][batch.groups_BT[0] == group][0]) for group in (1, 2, 3)}
    assert len(starts) == 1
    instruction = batch.positions_BT[0][batch.segments_BT[0] == INSTRUCTION]
    assert int(instruction[0]) == PATCHES + 1


def test_answers_are_predicted_from_the_last_text_token(packer: Packer) -> None:
    batch = questions(packer, 4)
    first = batch.weights_P == 1.0
    at = batch.segments_BT[batch.rows_P[first], batch.columns_P[first]]
    assert (at == TEXT).all()
    assert torch.equal(batch.columns_P[first], batch.ends_Q[:, 1])


def test_a_caption_is_predicted_from_the_instruction_on(packer: Packer, codec: TextCodec) -> None:
    scene = imagined_scene(np.random.default_rng(2), most=3)
    batch = packer.captions([scene])
    assert batch.targets_P[-1] == 1
    assert codec.decode(batch.targets_P[:-1].tolist()) == caption(scene)
    segments = batch.segments_BT[0][batch.columns_P].tolist()
    assert segments[0] == INSTRUCTION
    assert set(segments[1:]) == {GENERATED}


def test_reviews_have_no_image_and_keep_the_position_ids(packer: Packer) -> None:
    batch = packer.reviews([[5, 6, 7], [8] * 20], ["pos", "neg"])
    assert not (batch.segments_BT == IMAGE).any()
    assert int(batch.positions_BT[0, 1]) == PATCHES + 1
    assert (batch.weights_P < 1).sum() > 2


def test_only_image_and_text_cross_the_air(packer: Packer, model: SemanticModel) -> None:
    batch = questions(packer, 2)
    hidden = torch.randn(*batch.ids_BT.shape, 32)
    erased = torch.zeros_like(batch.ids_BT, dtype=torch.bool)
    erased[:, 3] = True
    yes = torch.ones(2, dtype=torch.bool)
    air = Air(torch.zeros(2), erased, yes, ~yes)
    out = through_air(model.codec, hidden, batch, torch.tensor([False, True]), air)
    kept = ~((batch.segments_BT == IMAGE) | (batch.segments_BT == TEXT))
    kept[1] |= batch.segments_BT[1] == TEXT
    torch.testing.assert_close(out[kept], hidden[kept])
    torch.testing.assert_close(out[0, 3], model.codec.erasure_D)
    encoder, decoder = model.codec.encoders["public"], model.codec.decoders["public"]
    assert isinstance(encoder, ChannelEncoder)
    assert isinstance(decoder, ChannelDecoder)
    torch.testing.assert_close(out[1, 1:3], decoder(encoder(hidden[1, 1:3]), torch.zeros(2)))


def test_all_losses_train_what_they_should(packer: Packer, config: SemanticConfig) -> None:
    model, scaffold = SemanticModel(config), Scaffold(32)
    batch = questions(packer, 3)
    out = run(model, batch, scaffold.symbols(torch.randn(2, PATCHES, 18)), torch.tensor([False, True]))
    loss, right = answer_loss(model, batch, out)
    assert len(right) == len(batch.ends_Q)
    (loss + probe_loss(scaffold, batch, out) + attention_loss(model, batch, out)).backward()
    for name, parameter in [*model.llm.named_parameters(), *scaffold.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
