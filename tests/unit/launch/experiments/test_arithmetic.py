"""What tables are made of, against numbers worked out by hand."""

from typing import Any

import pytest
import torch

from launch.experiments.compute import Load, base_station, embedding, projector, user_equipment, vision
from launch.experiments.paired import Difference, difference, losses
from launch.experiments.recommend import Cut, recommend
from launch.experiments.table import Row, Table, csv_rows, markdown, number_cell, points_cell, share_cell
from launch.experiments.variants import with_mlp
from launch.figures import Figure
from launch.scoring import Scored
from shared.semantic.config import VisionSizes
from shared.semantic.stem import ConvStem
from tests.unit.shared.semantic.tiny import tiny_config


def scored(score: float, image: int, family: str = "zero_hop") -> Scored:
    return Scored("vqa", "exist", family, f"image {image}", score, None)


def test_a_difference_is_the_mean_over_families_of_mean_differences() -> None:
    pairs = [
        (scored(1.0, 0, "a"), scored(0.0, 0, "a")),
        (scored(1.0, 1, "a"), scored(1.0, 1, "a")),
        (scored(0.0, 2, "b"), scored(1.0, 2, "b")),
    ]
    # a: (1 + 0) / 2, b: -1; too few images for an interval
    assert difference(pairs, seed=1) == Difference(-25.0, None, None, 3)
    assert not difference(pairs, seed=1).is_worse


def test_pairing_takes_the_spread_of_the_questions_away() -> None:
    # the first is wrong on 1 image of 25 more than the second, whatever else both get right
    pairs = [(scored(float(0 < i < 12), i), scored(float(i < 12), i)) for i in range(25)]
    found = difference(pairs, seed=1)
    assert found.points == -4.0
    assert found.low is not None
    assert found.high is not None
    # the lost image is drawn 0 to about 3 times of 25, Poisson(1): 97.5% quantile 3
    assert (found.low, found.high) == (-12.0, 0.0)
    assert not found.is_worse
    assert difference([(b, a) for a, b in pairs], seed=1).points == 4.0
    all_wrong = [(scored(0.0, i), scored(float(i > 2), i)) for i in range(25)]
    assert difference(all_wrong, seed=1).is_worse


def test_a_loss_is_bounded_family_by_family_and_over_some() -> None:
    """One image of 25 is lost in family a: drawn at most 3 times in 95% of resamples, Binomial(25, 1/25)."""
    pairs = [(scored(float(i > 0), i, "a"), scored(1.0, i, "a")) for i in range(25)]
    pairs += [(scored(1.0, i, "b"), scored(1.0, i, "b")) for i in range(25)]
    found = losses(pairs, seed=1)
    assert [(loss.family, loss.points, loss.bound, loss.n) for loss in found.families] == [
        ("a", 4.0, 12.0, 25),
        ("b", 0.0, 0.0, 25),
    ]
    assert (found.bound(["a", "b"]), found.bound(["b"]), found.bound(["c"])) == (6.0, 0.0, None)
    few = losses(pairs[:5], seed=1)
    assert (few.families[0].points, few.families[0].bound, few.bound(["a"])) == (20.0, None, None)


def test_multiply_adds_of_the_tiny_codec() -> None:
    config = tiny_config()  # cut at 2 of 4 layers; 16 patches
    # patches 16*48*16, one layer 16*(4*16^2 + 2*16*24), attention 2*16^2*16
    assert vision(config) == 12_288 + 28_672 + 8_192
    assert projector(config) == 9 * (16 * 12 + 12 * 32)
    load = Load(images=0.5, sent=19, text=3, instruction=5, generated=2)
    # a decoder layer: 32*(2*32 + 2*16 + 3*48) = 7,680 a token, 2*32 a key
    image = 49_152 + 16 * 5_184 + 2 * (17 * 7_680 + 64 * 153)
    text = 2 * (3 * 7_680 + 64 * (3 * 22 + 6))
    assert base_station(config, load) == 0.5 * image + text + 19 * 256
    prompt = 2 * (25 * 7_680 + 64 * 325)
    below = 2 * (2 * 7_680 + 64 * (2 * 6 + 3))
    above = 2 * (2 * 7_680 + 64 * (2 * 25 + 3))
    assert user_equipment(config, load) == 19 * 256 + prompt + below + above + 3 * 32 * 320
    mlp = with_mlp(config)
    assert mlp.mlp is not None
    assert projector(mlp) == mlp.mlp.hidden * (16 + 32)


def test_multiply_adds_of_a_stem_are_those_of_its_convolutions() -> None:
    """Counted at every convolution that runs: outputs times inputs times kernel."""
    sizes = VisionSizes(
        image_size=64, patch_size=16, hidden=16, intermediate=24, layers=1, heads=2, stem=(8, 8, 12)
    )
    counted = 0

    def count(layer: torch.nn.Module, _: Any, made: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(layer, torch.nn.Conv2d)
        counted += made.numel() * layer.weight[0].numel()

    assert sizes.stem is not None
    convolutions = ConvStem(sizes.stem, sizes.patch_size, sizes.hidden)
    for layer in convolutions.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    convolutions(torch.zeros(1, 3, 64, 64))
    assert embedding(sizes) == counted


def test_where_to_cut() -> None:
    cheap_but_worse = Cut(0, True, 1.0, 1.0)
    small, quick = Cut(1, False, 4.0, 10.0), Cut(2, False, 3.0, 13.0)
    assert recommend([cheap_but_worse, small, quick]) == 2  # 39 < 40
    assert recommend([cheap_but_worse, small, Cut(2, False, 2.0, 20.0)]) == 1  # alike: the smaller k
    with pytest.raises(ValueError, match="empty"):
        recommend([cheap_but_worse])


@pytest.fixture
def table() -> Table:
    right = share_cell(Figure(0.5, 0.4, 0.61, 80), "m4sc run a")
    return Table(
        title="Both",
        rows=(
            Row(label="one", cells={"right": right, "bytes": number_cell(1234.4)}),
            Row(label="difference", cells={"right": points_cell(Difference(-1.25, -3.0, 0.5, 80), "a", "b")}),
            Row(label="no interval", cells={"right": points_cell(Difference(0.0, None, None, 4), "a", "b")}),
        ),
        notes=("A note.",),
        conclusion="So.",
    )


def test_a_table_in_markdown(table: Table) -> None:
    assert markdown(table).splitlines() == [
        "## Both",
        "",
        "| | right | bytes |",
        "|---|---|---|",
        "| one | 50.0% (40.0 to 61.0) | 1,234 |",
        "| difference | -1.2 (-3.0 to +0.5) | – |",
        "| no interval | +0.0 | – |",
        "",
        "A note.",
        "",
        "So.",
    ]


def test_a_table_in_csv_and_back_from_json(table: Table) -> None:
    rows = list(csv_rows("both", table))
    assert rows[0] == ["both", "one", "right", "share", "0.5", "0.4", "0.61", "80", "m4sc run a"]
    assert rows[1] == ["both", "one", "bytes", "number", "1234.4", "", "", "", ""]
    assert rows[2][-1] == "a; b"
    assert Table.model_validate_json(table.model_dump_json()) == table
