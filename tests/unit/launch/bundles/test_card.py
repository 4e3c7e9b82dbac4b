"""The card: numbers for machines, the same as a table for people."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from launch.bundles.card import CardEntry, CardError, entry_from, read_card, with_table, write_card
from launch.errors import LaunchError
from launch.figures import figure_of
from shared.semantic.bundle import Bundle, save_bundle
from shared.shipped import bundle_folder
from shared.starting import load_bundle
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer

SUMMARY = {
    "accuracy": {
        "vqa": {
            "macro": {"accuracy": 0.7884, "interval95": [0.7561, 0.8171], "total": 480},
            "by_kind": {"exist": {"accuracy": 0.9, "interval95": [0.8, 0.95], "total": 160}},
        }
    }
}
FIELDS: dict[str, Any] = {
    "name": "held-out scenes",
    "config": "vqa_heldout",
    "metric": "accuracy.vqa.macro",
    "value": 0.788,
    "low": 0.756,
    "high": 0.817,
    "n": 480,
}
README = "# tiny\n\nIt is small.\n\n## Measured\n\nNothing.\n\n### By whom\n\nNobody.\n\n## Data\n\nNone.\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("card") / "tiny"
    return save_bundle(path, tiny_model(tiny_config()), tiny_tokenizer(), README).path


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tiny"))


def test_an_entry_comes_from_a_summary_and_goes_into_both_files(bundle: Path) -> None:
    before = Bundle.load(bundle).fingerprint
    entry = entry_from(SUMMARY, "held-out", "vqa_heldout", "accuracy.vqa.macro", ["channel.snr_db=5"])
    card = write_card(bundle, [entry])
    assert read_card(bundle) == card
    assert card.fingerprint == before == Bundle.load(bundle).fingerprint
    assert (card.entries[0].value, card.entries[0].n) == (0.7884, 480)
    text = (bundle / "README.md").read_text()
    assert "| held-out | 78.8% (75.6 to 81.7) | 480 | `m4sc run vqa_heldout --set channel.snr_db=5` |" in text
    assert before in text
    assert "Nothing." not in text
    assert "Nobody." not in text
    assert text.startswith("# tiny\n\nIt is small.\n\n## Measured\n\n|")
    assert text.endswith("\n\n## Data\n\nNone.\n")


def test_writing_twice_changes_nothing(bundle: Path) -> None:
    write_card(bundle, [CardEntry(**FIELDS)])
    once = (bundle / "README.md").read_text()
    write_card(bundle, [CardEntry(**FIELDS)])
    assert (bundle / "README.md").read_text() == once


def test_a_text_of_ones_own_gets_the_table(bundle: Path) -> None:
    write_card(bundle, [CardEntry(**FIELDS)], text="# mine\n")
    assert (bundle / "README.md").read_text().startswith("# mine\n\n## Measured\n\n| what |")
    card = read_card(bundle)
    assert card is not None
    assert with_table("# a\n\n## Measured", card).count("## Measured") == 1


def test_a_bundle_without_numbers_has_no_card(bundle: Path) -> None:
    assert read_card(bundle) is None


def test_a_figure_that_is_not_there_is_named() -> None:
    assert figure_of(SUMMARY, "accuracy.vqa.by_kind.exist").n == 160
    for metric in ("accuracy.vqa.control", "accuracy.vqa", "accuracy.vqa.macro.total.x"):
        with pytest.raises(LaunchError, match=f"metric {metric}: "):
            figure_of(SUMMARY, metric)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"value": 0.9}, "entries.0: value: 0.9 is outside its interval"),
        ({"overrides": ["bundle=other"]}, "entries.0: overrides: 'bundle=other'"),
        ({"config": "../x"}, "entries.0.config"),
        ({"metric": "accuracy..vqa"}, "entries.0.metric"),
        ({"n": 0}, "entries.0.n"),
        ({"name": "a | b"}, "entries.0.name"),
        ({"surprise": 1}, "entries.0.surprise"),
    ],
)
def test_a_wrong_entry_is_named(bundle: Path, change: dict[str, Any], expected: str) -> None:
    write_card(bundle, [CardEntry(**FIELDS)])
    data = json.loads((bundle / "card.json").read_text())
    data["entries"][0] |= change
    (bundle / "card.json").write_text(json.dumps(data))
    with pytest.raises(CardError) as caught:
        read_card(bundle)
    assert "card.json" in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_entries_of_one_name_are_refused(bundle: Path) -> None:
    with pytest.raises(CardError, match="two are named 'held-out scenes'"):
        write_card(bundle, [CardEntry(**FIELDS), CardEntry(**FIELDS)])


def test_the_shipped_card_belongs_to_the_shipped_weights() -> None:
    card = read_card(bundle_folder("micro"))
    assert card is not None
    assert card.fingerprint == load_bundle("micro", "all").fingerprint
    text = (bundle_folder("micro") / "README.md").read_text(encoding="utf-8")
    assert with_table(text, card) == text
