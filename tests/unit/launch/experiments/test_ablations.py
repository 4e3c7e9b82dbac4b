"""The command from its options to its files, with training and answers made up (`made_runs`)."""

import csv
import json
import sys
from pathlib import Path

import pytest

from launch import cli
from launch.errors import LaunchError
from launch.experiments.ablations import Ablations, Order, sizes_of
from launch.experiments.measure import conditions, measure
from launch.experiments.results import CSV_FILE, CURVES_FILE, JSON_FILE, PAGE_FILE, draw_variants
from launch.experiments.table import Table
from launch.experiments.tables import OWN_DB
from launch.experiments.variants import GROUPS, Source
from launch.order_file import ORDER_FILE
from launch.training.record import LOG_FILE
from shared.config_file import load_config
from shared.semantic.bundle import save_bundle
from shared.semantic.config import MICRO
from shared.semantic.model import SemanticModel
from tests.unit.launch.experiments.made_runs import Stands
from tests.unit.launch.training.tiny import RECIPE, few_reviews, grid_config, plain_pictures
from tests.unit.shared.semantic.tiny import tiny_tokenizer

QUESTIONS = 120
pytestmark = pytest.mark.timeout(300)
CONFIGS = Path(cli.__file__).parent / "configs"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    plain_pictures(root / "clevr-style-train", "train", 4)
    plain_pictures(root / "clevr-style-heldout", "heldout", 60)
    few_reviews(root / "train.jsonl.gz")
    few_reviews(root / "dev.jsonl.gz", QUESTIONS)
    return root


def ordered(data: Path, out: Path, *groups: str, questions: int = QUESTIONS) -> Order:
    config = grid_config(layers=2)
    limits = config.limits.model_copy(update={"text_tokens": 250})
    source = Source(Path("run"), config.model_copy(update={"split_layer": 1, "limits": limits}), RECIPE, 0)
    out.mkdir(exist_ok=True)
    sets = (data / "clevr-style-train", data / "train.jsonl.gz", data / "dev.jsonl.gz")
    return Order(source, *sets, out, 0.5, questions, groups, 1)


def value(table: Table, row: str, column: str) -> float:
    return next(r for r in table.rows if r.label == row).cells[column].value


def test_all_tables_and_what_is_done_is_not_done_again(data: Path, tmp_path: Path) -> None:
    stands, said = Stands(), list[str]()
    wanted = ordered(data, tmp_path / "out", *GROUPS)
    tables = Ablations(wanted, said.append, stands.make, stands.run).all().tables
    assert list(tables) == list(GROUPS)
    assert stands.made == [
        "reference", "mlp", "only_vqa", "only_caption", "only_text_classification", "no_joint", "split_0",
        "trained",
    ]  # fmt: skip
    assert len(stands.ran) == len(set(stands.ran)) == 3 + 3 + 3 + 11 + 2 + 2
    assert said[0] == "[1/8] variant reference: training"

    # 8 of ten against 6 of ten, on the same reviews
    cell = next(r for r in tables["projector"].rows if r.label == "KAN minus MLP").cells["reviews"]
    assert cell.value == pytest.approx(20.0)
    assert cell.low is not None
    assert cell.low > 10.0
    assert value(tables["tasks"], "reviews", "all minus alone") == 0.0
    assert value(tables["projector"], "KAN", "captions (F1 of objects)") == pytest.approx(0.8)
    assert abs(value(tables["projector"], "MLP", "projector's parameters") / 5_760 - 1) < 0.01
    assert [row.label for row in tables["joint"].rows][-2:] == ["AWGN 20 dB", "Rayleigh 15 dB"]
    assert value(tables["traces"], "without", "generated tokens") == 5.0

    split = tables["split"]
    assert value(split, "k = 0", "minus the best") < -40
    assert "Recommended: k = 1." in split.conclusion  # k = 0 is significantly worse
    assert value(split, "k = 0", "private tokens") == 60.0
    assert value(split, "k = 1", "BS, M multiply-adds") > value(split, "k = 0", "BS, M multiply-adds")

    again = Stands()
    assert Ablations(wanted, said.append, again.make, again.run).all().tables == tables
    assert (again.made, again.ran) == ([], [])

    held = json.loads((wanted.out / JSON_FILE).read_text())["tables"]
    figure = held["joint"]["rows"][0]["cells"]["without"]
    assert figure["n"] == QUESTIONS
    assert figure["low"] < figure["value"] < figure["high"]
    assert "--set channel.snr_db=0 --set bundle=" in figure["command"]
    with (wanted.out / CSV_FILE).open() as file:
        rows = list(csv.DictReader(file))
    cells = sum(len(row["cells"]) for table in held.values() for row in table["rows"])
    assert len(rows) == cells
    page = (wanted.out / PAGE_FILE).read_text()
    assert page.count("\n## ") == 5  # no curves: nothing was trained
    assert f"`{JSON_FILE}`" in page


def test_tables_of_earlier_calls_stay(data: Path, tmp_path: Path) -> None:
    stands = Stands()
    Ablations(ordered(data, tmp_path, "traces"), print, stands.make, stands.run).all()
    results = Ablations(ordered(data, tmp_path, "projector"), print, stands.make, stands.run).all()
    assert set(results.tables) == {"traces", "projector"}
    page = (tmp_path / PAGE_FILE).read_text()
    assert page.index("## Projector") < page.index("## Reasoning traces")


def test_another_run_takes_the_place_of_the_one_that_is_there(data: Path, tmp_path: Path) -> None:
    stands = Stands()
    wanted = ordered(data, tmp_path, questions=40)
    job = Ablations(wanted, print).job("trained")
    stands.make(job, 1)
    folder, bundle, vqa = tmp_path / "vqa", job.out / "bundle", conditions(40)["vqa"]
    for condition, runs in ((vqa, 1), (vqa, 1), (vqa.but("vqa", "channel.snr_db=3"), 2)):
        found = measure(bundle, condition, folder, wanted.sets, stands.run)
        assert len(stands.ran) == runs
        assert found.figure.n == 40
    (folder / "summary.json").unlink()  # cut short
    measure(bundle, vqa, folder, wanted.sets, stands.run)
    assert len(stands.ran) == 3
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").touch()
    with pytest.raises(LaunchError, match="not a run folder"):
        measure(bundle, vqa, tmp_path / "other", wanted.sets, stands.run)
    assert (tmp_path / "other" / "letter").exists()


def test_the_shipped_configurations_are_run_at_the_snr_that_tables_say() -> None:
    for name in ("nine_families", "imdb_file"):
        assert load_config(CONFIGS / f"{name}.yaml").channel.snr_db == OWN_DB


def test_a_run_that_went_on_from_a_bundle_has_its_tower(tmp_path: Path) -> None:
    vision = MICRO.vision.model_copy(update={"stem": None, "layers": 1})
    config = MICRO.model_copy(update={"vision": vision})
    words = tiny_tokenizer(vocab=MICRO.llm.vocab)
    save_bundle(tmp_path, SemanticModel(config), words, "# one layer\n")
    assert sizes_of({"preset": "micro", "from": str(tmp_path)}) == config
    assert sizes_of({"preset": "micro"}) == MICRO


def test_losses_of_all_variants_in_one_picture(tmp_path: Path) -> None:
    assert not draw_variants(tmp_path, tmp_path / CURVES_FILE)
    for name in ("reference", "mlp"):
        (tmp_path / name).mkdir()
        lines = [{"phase": "joint", "step": step, "vqa/loss": 1 / step} for step in (50, 100)]
        (tmp_path / name / LOG_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert draw_variants(tmp_path, tmp_path / CURVES_FILE)
    assert (tmp_path / CURVES_FILE).stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--only", "colour"], "--only colour: expected one of projector, tasks, joint, split, traces"),
        (["--train", "none"], "--train none: no such folder"),
        (["--train", "."], "order.json: cannot be read"),
        (["--train", "paper"], "preset paper, expected micro"),
        (["--train", "begun"], "tokenizer.json is missing, expected a `m4sc train`"),
        (["--train", "further"], "gone/config.json: no such file"),
        (["--data", "none"], "--data none: no such file or folder"),
        (["--data", "begun"], "no scenes.jsonl in it"),
        (["--imdb", "none"], "--imdb none"),
        (["--reviews", "train.jsonl.gz"], "the reviews trained on"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    message: str,
) -> None:
    further = {"preset": "micro", "from": "gone"}
    for name, kind in (("paper", {"preset": "paper"}), ("begun", {"preset": "micro"}), ("further", further)):
        (tmp_path / name).mkdir()
        order = {**kind, "scale": 1.0, "seed": 0}
        (tmp_path / name / ORDER_FILE).write_text(json.dumps(order))
    for name in ("clevr-style-train", "train.jsonl.gz", "dev.jsonl.gz"):
        (tmp_path / name).symlink_to(data / name)
    given = {"--train": "begun", "--data": "clevr-style-train", "--imdb": "train.jsonl.gz", "--out": "out"}
    given |= dict([change])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["m4sc", "experiment", "ablations", *(w for p in given.items() for w in p)]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    err = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
