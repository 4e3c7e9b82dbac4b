"""Two runs side by side: figures with ratios, settings that differ, accuracy in pairs, or why not."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from launch.errors import RunFolderError
from launch.experiments.paired import Difference
from launch.report.compare import accuracies, as_document, compare, paired_words
from launch.report.compare_view import compared, write_page
from launch.runfolder import create_run_folder
from launch.summary import write_results
from shared.config import RunConfig, SharingConfig
from shared.config_file import ConfigError
from tests.unit.launch.made_run import MadeRun, frame


def made(folder: Path, sharing: bool, right: int, first_text: str = "0") -> Path:
    """24 questions about 12 images, so many answered right; without sharing a frame more for each user."""
    config = RunConfig(users=3, name=folder.name, sharing=SharingConfig(enabled=sharing))
    run = MadeRun(create_run_folder(config, folder))
    entries = [
        {
            "index": i, "user": i % 3, "task": "vqa", "kind": "exist", "family": "zero_hop",
            "text": first_text if i == 0 else str(i), "expected": "yes",
            "image": f"{i % 12}.png", "sample_id": f"{i % 12}.png#{i}",
        }
        for i in range(24)
    ]  # fmt: skip
    (folder / "workload.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    run.attach()
    if not sharing:
        for user in range(3):
            run.down(frame((user,), 7, 900 + user))
    for i in range(24):
        run.request(i, i % 3, "yes" if i < right else "no")
    run.drained()
    run.write_journal()
    write_results(folder, config, [])
    return folder


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return made(tmp_path / "on", True, 20), made(tmp_path / "off", False, 12)


def test_costs_have_the_ratio_of_the_second_over_the_first(two: tuple[Path, Path]) -> None:
    found = compare(*two)
    by_name = {line.name: line for line in found.costs}
    for column in ("wire_bytes", "channel_uses", "private_bytes", "private_uses"):
        line = by_name[column.replace("_", " ")]
        assert (line.a, line.b) == tuple(side.summary["totals"][column] for side in (found.a, found.b))
        assert line.b > line.a
        assert line.ratio == line.b / line.a
    assert by_name["channel uses a request"].b == pytest.approx(
        found.b.summary["totals"]["channel_uses"] / 24
    )
    assert by_name["requests failed"].ratio is None


def test_only_settings_that_differ_are_listed_and_the_name_is_none(two: tuple[Path, Path]) -> None:
    assert compare(*two).differing == (("sharing.enabled", "True", "False"),)
    assert compare(two[0], two[0]).differing == ()


def test_accuracy_is_compared_in_pairs_on_the_same_questions(two: tuple[Path, Path]) -> None:
    found = compare(*two)
    assert isinstance(found.paired, Difference)
    assert found.paired.points == pytest.approx(100 * (12 - 20) / 24, abs=0.01)
    assert found.paired.low is not None
    assert found.paired.low < found.paired.points < (found.paired.high or 0.0)
    assert "the second is -33.3 points" in paired_words(found.paired)
    task, a, b = accuracies(found)[0]
    assert (task, a.split()[0], b.split()[0]) == ("vqa", "83.3%", "50.0%")


def test_other_questions_are_not_paired_and_it_is_said_why(two: tuple[Path, Path], tmp_path: Path) -> None:
    other = made(tmp_path / "other", True, 20, first_text="another question")
    assert "not the same questions" in paired_words(compare(two[0], other).paired)


class Closed(HTMLParser):
    """Every element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_table_page_and_json_say_the_same(two: tuple[Path, Path], tmp_path: Path) -> None:
    found = compare(*two)
    page = tmp_path / "both.html"
    write_page(found, page)
    text = page.read_text()
    Closed(text)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text)
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(compared(found))
    shown = console.export_text()
    total = f"{found.b.summary['totals']['wire_bytes']:,} B"
    for words in (total, "sharing.enabled", "the second is -33.3 points"):
        assert words in text
        assert words in shown
    assert text.count("<svg") == 1
    document = json.loads(json.dumps(as_document(found), allow_nan=False))
    assert document["paired"]["n"] == 24
    assert [line["key"] for line in document["differing"]] == ["sharing.enabled"]


def test_what_is_no_finished_run_is_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        compare(two[0], tmp_path / "nowhere")
    (two[1] / "summary.json").unlink()
    with pytest.raises(RunFolderError, match=r"summary\.json: cannot be read"):
        compare(*two)
    assert yaml.safe_load((two[1] / "config.yaml").read_text())["name"] == "off"
