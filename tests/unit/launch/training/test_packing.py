"""Packed training sequences give what inference gives for each question alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch._dynamo

from launch.caption_score import caption_f1
from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.scene import imagine_scene
from launch.training.draws import fixed_air
from launch.training.forward import PROBE_LAYER, Stack, even, exact, through_air
from launch.training.hints import Scaffold, attention_loss, constraint_loss, pointer_start
from launch.training.lora import add_adapters
from launch.training.packing import EVERY, ON_THE_WAY, Batch, Packer
from launch.training.scenes import FEATURES, PATCHES, patches_of
from shared.semantic.codec import ChannelDecoder, ChannelEncoder
from shared.semantic.config import SemanticConfig
from shared.semantic.masks import GENERATED, IMAGE, INSTRUCTION, TEXT
from shared.semantic.model import SemanticModel
from shared.semantic.tokenizer import TextCodec
from shared.semantic.trace import split_trace
from tests.unit.launch.training.tiny import grid_config, packer_of, trace_codec
from tests.unit.shared.semantic.tiny import tiny_model


@pytest.fixture(scope="module")
def codec() -> TextCodec:
    return trace_codec()


@pytest.fixture(scope="module")
def config() -> SemanticConfig:
    return grid_config()


@pytest.fixture(scope="module")
def model(config: SemanticConfig) -> SemanticModel:
    torch.set_num_threads(1)
    return tiny_model(config)


@pytest.fixture(scope="module")
def packer(config: SemanticConfig, codec: TextCodec) -> Packer:
    return packer_of(config, codec)


def questions(packer: Packer, rows: int = 2, seed: int = 0) -> Batch:
    rngs = [np.random.default_rng([seed, row]) for row in range(rows)]
    scenes = [imagine_scene(rng, 6, (240, 160)) for rng in rngs]
    return packer.questions(scenes, [patches_of(s, 240, 160) for s in scenes], rngs, ("zero_hop", "one_hop"))


def test_a_packed_question_is_computed_as_if_it_were_alone(packer: Packer, model: SemanticModel) -> None:
    batch, image = questions(packer), torch.randn(2, PATCHES, 32)
    at_ue, stack = torch.tensor([False, True]), Stack(model, compiled=False)
    whole = stack.run(batch, image, at_ue)
    for row in range(2):
        for group in (1, 2):
            keep = (batch.groups_BT[row] == group) | (batch.groups_BT[row] == 0)
            keep &= batch.segments_BT[row] != 5
            assert int((batch.groups_BT[row] == group).sum()) > 3
            alone = replace(
                batch,
                ids_BT=batch.ids_BT[row : row + 1, keep],
                segments_BT=batch.segments_BT[row : row + 1, keep],
                groups_BT=batch.groups_BT[row : row + 1, keep],
                positions_BT=batch.positions_BT[row : row + 1, keep],
            )
            out = stack.run(alone, image[row : row + 1], at_ue[row : row + 1])
            torch.testing.assert_close(out.final_BTD[0], whole.final_BTD[row, keep], atol=1e-4, rtol=1e-4)


def test_positions_start_again_for_each_question(packer: Packer) -> None:
    batch = questions(packer)
    groups = range(1, int(batch.groups_BT[0].max()) + 1)
    starts = {int(batch.positions_BT[0][batch.groups_BT[0] == group][0]) for group in groups}
    assert len(starts) == 1
    instruction = batch.positions_BT[0][batch.segments_BT[0] == INSTRUCTION]
    assert int(instruction[0]) == PATCHES + 1


def test_every_word_is_predicted_from_the_one_before_it(packer: Packer, codec: TextCodec) -> None:
    batch = questions(packer, rows=4)
    following = batch.ids_BT[batch.rows_P, (batch.columns_P + 1).clamp(max=batch.ids_BT.shape[1] - 1)]
    ends = batch.targets_P == 1
    assert torch.equal(following[~ends], batch.targets_P[~ends])
    assert int(ends.sum()) == len(batch.families)
    for example, family in enumerate(batch.families):
        mine = batch.examples_P == example
        _, answer = split_trace(codec.decode(batch.targets_P[mine & ~ends].tolist()))
        final = codec.decode(batch.targets_P[mine & batch.final_P].tolist())
        assert answer == final
        given = batch.segments_BT[batch.rows_P[mine][0], batch.columns_P[mine][0]]
        assert int(given) == (GENERATED if family.endswith("direct") else TEXT)


def test_a_caption_names_patches_and_then_objects(packer: Packer, codec: TextCodec) -> None:
    scene = imagine_scene(np.random.default_rng(2), 3, (240, 160))
    batch = packer.captions([scene], [patches_of(scene, 240, 160)])
    assert batch.targets_P[-1] == 1
    trace, said = split_trace(codec.decode(batch.targets_P[:-1].tolist()))
    assert trace == ""
    assert caption_f1(said, caption(scene)) == 1.0
    segments = batch.segments_BT[0][batch.columns_P].tolist()
    assert segments[0] == INSTRUCTION
    assert set(segments[1:]) == {GENERATED}


def test_reviews_have_no_image_and_keep_the_position_ids(packer: Packer) -> None:
    batch = packer.reviews(
        [[([5, 6, 7], "positive"), ([8] * 20, "negative")], [([9] * packer.room, "positive")]]
    )
    assert not (batch.segments_BT == IMAGE).any()
    assert int(batch.positions_BT[0, 1]) == PATCHES + 1
    assert len(batch.families) == 3
    on_the_way = batch.weights_P == ON_THE_WAY
    assert int(on_the_way.sum()) == 1 + len(range(12, packer.room - 1, EVERY))


def test_only_image_and_text_cross_the_air(packer: Packer, model: SemanticModel) -> None:
    batch = questions(packer)
    rngs = [np.random.default_rng(row) for row in range(2)]
    hidden = torch.randn(*batch.ids_BT.shape, 32)
    erased = torch.zeros_like(batch.ids_BT, dtype=torch.bool)
    erased[:, 3] = True
    air = replace(fixed_air(batch, rngs, model.config.uses_per_token, 300.0), erased_BT=erased)
    out = through_air(model.codec, hidden, batch, torch.tensor([False, True]), air).hidden_BTD
    kept = ~((batch.segments_BT == IMAGE) | (batch.segments_BT == TEXT))
    kept[1] |= batch.segments_BT[1] == TEXT
    torch.testing.assert_close(out[kept], hidden[kept])
    torch.testing.assert_close(out[0, 3], model.codec.erasure_D)
    encoder, decoder = model.codec.encoders["public"], model.codec.decoders["public"]
    assert isinstance(encoder, ChannelEncoder)
    assert isinstance(decoder, ChannelDecoder)
    torch.testing.assert_close(out[1, 1:3], decoder(encoder(hidden[1, 1:3]), torch.zeros(2)))


def test_the_air_lies_where_the_model_is_cut(packer: Packer, model: SemanticModel) -> None:
    """Behind the last layer too: then nothing but norm and head comes after it."""
    batch, image = questions(packer), torch.randn(2, PATCHES, 32)
    at_ue, layers = torch.tensor([False, True]), model.config.llm.layers
    stack = Stack(model, compiled=False)
    air = fixed_air(batch, [np.random.default_rng(row) for row in range(2)], model.config.uses_per_token, 5.0)
    with torch.no_grad():
        for k in (0, 2, layers):
            whole = stack.run(batch, image, at_ue, None, k)
            heard = stack.run(batch, image, at_ue, air, k)
            torch.testing.assert_close(heard.split_BTD, whole.split_BTD)
            changed = (heard.final_BTD - whole.final_BTD).abs().amax(-1) > 1e-5
            crossed = (batch.segments_BT == IMAGE) | ((batch.segments_BT == TEXT) & ~at_ue[:, None])
            if k == layers:
                received = through_air(model.codec, whole.split_BTD, batch, at_ue, air).hidden_BTD
                torch.testing.assert_close(heard.final_BTD, model.llm.model.norm(received))
                assert torch.equal(changed, crossed)
            else:
                assert changed[batch.segments_BT == GENERATED].all()


def test_all_losses_train_what_they_should(packer: Packer, config: SemanticConfig, codec: TextCodec) -> None:
    model, scaffold = SemanticModel(config), Scaffold(32, codec)
    batch = questions(packer)
    seen = scaffold.tokens(model, torch.randn(2, PATCHES, FEATURES))
    stack = Stack(model, compiled=False)
    out = stack.run(batch, seen, torch.tensor([False, True]))
    loss, right = stack.answer_loss(batch, out)
    assert len(right) == len(batch.targets_P)
    hints = constraint_loss(scaffold, batch, out.probe_BTD)
    hints = hints + attention_loss(model, batch, out.probe_BTD, PROBE_LAYER)
    (loss + hints).backward()
    for name, parameter in [*model.llm.named_parameters(), *scaffold.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_attention_hints_fall_when_a_head_looks_where_it_should(
    packer: Packer, config: SemanticConfig, codec: TextCodec
) -> None:
    """Trained on the hint alone, the loss comes down to what its targets leave undecided."""
    torch.manual_seed(0)
    model, scaffold = SemanticModel(config), Scaffold(32, codec)
    batch = questions(packer)
    optim = torch.optim.Adam(model.llm.parameters(), lr=3e-3)
    seen = scaffold.tokens(model, torch.randn(2, PATCHES, FEATURES)).detach()
    found = []
    for _ in range(40):
        out = Stack(model, compiled=False).run(batch, seen, torch.zeros(2, dtype=torch.bool))
        loss = attention_loss(model, batch, out.probe_BTD, PROBE_LAYER)
        optim.zero_grad()
        loss.backward()
        optim.step()
        found.append(float(loss.detach()))
    assert found[-1] < 0.5 * found[0]


def test_any_split_into_workers_gives_the_same_mean() -> None:
    losses, weights = torch.arange(6.0), torch.tensor([1.0, 0.5, 1.0, 1.0, 0.1, 2.0])
    rows = torch.tensor([0, 0, 1, 1, 1, 1])
    whole = even(losses, weights, rows, 2)
    first, second = even(losses[:2], weights[:2], rows[:2], 1), even(losses[2:], weights[2:], rows[2:] - 1, 1)
    torch.testing.assert_close(whole, (first + second) / 2)


def test_exact_counts_questions_of_which_every_word_is_right(packer: Packer) -> None:
    batch = questions(packer)
    right = torch.ones(len(batch.targets_P), dtype=torch.bool)
    assert all(hits == total for hits, total in exact(batch, right).values())
    right[batch.examples_P == 0] = False
    wrong = sum(total - hits for hits, total in exact(batch, right).values())
    assert wrong == 1


def test_neighbouring_patches_start_alike() -> None:
    table = torch.nn.functional.normalize(pointer_start(64)[:, :48], dim=1)
    alike = table @ table.T
    assert float(alike[11, 12]) > float(alike[11, 15]) > float(alike[11, 88]) - 0.2
    assert not torch.allclose(table[11], table[12])


def test_layers_stay_compiled_through_all_phases(
    packer: Packer, config: SemanticConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more variants than PyTorch is told to keep the next ones would run uncompiled, without a word."""
    plain = torch.compile
    monkeypatch.setattr(torch, "compile", lambda layer, **how: plain(layer, backend="eager", **how))
    model = SemanticModel(config)
    stack, at_ue = Stack(model, compiled=True), torch.tensor([False, True])
    with torch._dynamo.config.patch(fail_on_recompile_limit_hit=True):
        for phase in ("language", "tune"):
            if phase == "tune":
                add_adapters(model.llm, rank=2)
            for rows in (2, 1):  # of the last pictures that are judged there may be fewer
                batch = questions(packer, rows)
                for tracked in (True, False):
                    for image in (torch.randn(rows, PATCHES, 32, requires_grad=tracked), None):
                        with torch.set_grad_enabled(tracked):
                            stack.run(batch, image, at_ue[:rows])
    torch._dynamo.reset()
