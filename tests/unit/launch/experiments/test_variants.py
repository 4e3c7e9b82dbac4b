"""Variants trained for real at toy size: each shares what it says it shares, and differs in one thing."""

import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from launch.errors import Interrupted, LaunchError
from launch.experiments.ablations import check_source
from launch.experiments.make import bundle_folder, is_made, make_bundle
from launch.experiments.variants import GROUPS, NO_JOINT, REFERENCE, TRAINED, Source, names_of, variants_of
from launch.training.loop import Checkpoint
from launch.training.recipe import MICRO_RECIPE
from launch.training.run import TOKENIZER_FILE, Job, train_bundle, trained_model
from shared.semantic.bundle import Bundle
from shared.semantic.config import MICRO
from tests.e2e.helpers import wait_until
from tests.unit.launch.training.tiny import RECIPE, few_reviews, grid_config, plain_pictures, trace_codec

pytestmark = pytest.mark.timeout(240)


class Place:
    """A finished training run at toy size, and a folder for variants of it."""

    def __init__(self, root: Path) -> None:
        self.data = plain_pictures(root / "train", "train", 44)
        self.imdb = few_reviews(root / "reviews.jsonl.gz")
        self.out = root / "out"
        self.source = Source(root / "run", grid_config(), RECIPE, 0)
        self.source.folder.mkdir()
        trace_codec().tokenizer.save(str(self.source.folder / TOKENIZER_FILE))
        self.run = Job(grid_config(), RECIPE, self.data, self.imdb, self.source.folder)
        train_bundle(self.run, 1)

    def job(self, name: str) -> Job:
        return variants_of(self.source, 1.0)[name].job(self.source, self.out, self.data, self.imdb)

    def made(self, name: str) -> Bundle:
        """Trained in this process, once."""
        job = self.job(name)
        if not is_made(job):
            train_bundle(job, 1, bundle_folder(job))
        return Bundle.load(bundle_folder(job))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    torch.set_num_threads(1)
    return Place(tmp_path_factory.mktemp("ablations"))


def modules(job: Job, phase: str) -> Mapping[str, Mapping[str, torch.Tensor]]:
    """What a phase left, here or where it was taken from."""
    return Checkpoint(job.folder(phase) / f"{phase}.pt").modules()


def weights(job: Job) -> dict[str, torch.Tensor]:
    return trained_model(job).state_dict()


def test_the_reference_at_full_length_is_the_run_itself(place: Place) -> None:
    place.made(REFERENCE)
    mine, own = weights(place.job(REFERENCE)), weights(place.run)
    for name, tensor in own.items():
        torch.testing.assert_close(mine[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_the_projector_is_all_that_the_mlp_has_of_its_own(place: Place) -> None:
    bundle = place.made("mlp")
    assert bundle.config.mlp is not None
    assert bundle.config.model_copy(update={"mlp": None, "kan": grid_config().kan}) == grid_config()
    vision = modules(place.run, "vision")["tower"]
    for name, tensor in bundle.model().vision.state_dict().items():
        torch.testing.assert_close(tensor, vision[name].half().float())


def test_without_phase_3_everything_but_the_codec_is_phase_2s(place: Place) -> None:
    place.made(REFERENCE)
    place.made(NO_JOINT)
    found, before = modules(place.job(NO_JOINT), "joint"), modules(place.job(REFERENCE), "tune")
    for part in ("projector", "llm"):
        for name, tensor in before[part].items():
            assert torch.equal(found[part][name], tensor), name
    started = found["codec"]
    assert not torch.equal(started["erasure_D"], before["codec"]["erasure_D"])
    # principal components: orthogonal up to their scales
    rows = started["encoders.public.linear.weight"]
    rows = rows / rows.norm(dim=1, keepdim=True)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), rtol=0, atol=1e-3)
    assert not (place.out / NO_JOINT / "log.jsonl").exists()


def test_another_split_trains_phase_3_alone(place: Place) -> None:
    place.made(REFERENCE)
    bundle = place.made("split_1")
    assert bundle.config.split_layer == 1
    lines = (place.out / "split_1" / "log.jsonl").read_text().splitlines()
    assert {json.loads(line)["phase"] for line in lines} == {"joint"}
    assert not (place.out / "split_1" / "tune.pt").exists()


@pytest.mark.parametrize(
    ("task", "losses"), [("caption", {"align", "caption"}), ("text_classification", {"align", "review"})]
)
def test_a_task_alone_sees_no_other(place: Place, task: str, losses: set[str]) -> None:
    place.made(f"only_{task}")
    lines = (place.out / f"only_{task}" / "log.jsonl").read_text().splitlines()
    keys = {key for line in lines for key in json.loads(line)}
    assert {key.split("/")[0] for key in keys if key.endswith("/loss")} == losses


def test_the_runs_own_weights_leave_the_run_alone(place: Place) -> None:
    before = {path: path.stat().st_mtime_ns for path in place.source.folder.rglob("*")}
    bundle = place.made(TRAINED)
    assert {path: path.stat().st_mtime_ns for path in place.source.folder.rglob("*")} == before
    own = weights(place.run)
    for name, tensor in bundle.model().projector.state_dict().items():
        torch.testing.assert_close(tensor, own[f"projector.{name}"].half().float())


def test_in_a_process_of_its_own(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    job = place.job("only_vqa")

    def stop_once_begun() -> None:
        wait_until(job.out.exists, 60.0, "training has begun")
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop_once_begun)
    stopper.start()
    with pytest.raises(Interrupted, match="only_vqa: stopped"):
        make_bundle(job, 1)
    stopper.join()
    assert not is_made(job)
    assert not [c for c in psutil.Process().children() if "launch.child" in " ".join(c.cmdline())]
    make_bundle(job, 1)
    assert Bundle.load(bundle_folder(job)).config == grid_config()
    out, err = capfd.readouterr()
    assert not out  # of a command with --json
    assert "\njoint " in err


def test_a_training_that_fails_is_one_line(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    job = variants_of(place.source, 1.0)["only_vqa"].job(
        place.source, place.out / "elsewhere", place.data / "images", place.imdb
    )
    with pytest.raises(LaunchError, match="only_vqa: training failed"):
        make_bundle(job, 1)
    assert "pictures are gone" in capfd.readouterr().err


def test_a_run_that_is_not_finished_is_refused(place: Place, tmp_path: Path) -> None:
    check_source(place.source, whole=True)
    longer = Source(place.source.folder, place.source.config, RECIPE.scaled(2.0), 0)
    with pytest.raises(LaunchError, match="phase vision is not finished"):
        check_source(longer, whole=False)
    with pytest.raises(LaunchError, match=r"tokenizer\.json is missing"):
        check_source(Source(tmp_path, place.source.config, RECIPE, 0), whole=False)


def test_phase_0_is_enough_where_the_runs_own_weights_are_not_measured(place: Place) -> None:
    plans = {**RECIPE.plans, "joint": replace(RECIPE.plans["joint"], steps=RECIPE.plans["joint"].steps + 1)}
    cut = Source(place.source.folder, place.source.config, replace(RECIPE, plans=plans), 0)
    check_source(cut, whole=False)
    with pytest.raises(LaunchError, match="phase joint is not finished"):
        check_source(cut, whole=True)


def test_names_and_lengths() -> None:
    source = Source(Path("run"), MICRO, MICRO_RECIPE, 3)
    found = variants_of(source, 0.25)
    assert found[REFERENCE].recipe.plans["joint"].steps == MICRO_RECIPE.plans["joint"].steps // 4
    assert found[TRAINED].recipe == MICRO_RECIPE
    assert found[NO_JOINT].recipe.plans["joint"].steps == 0
    assert names_of("split", source) == [REFERENCE, "split_0", "split_1", "split_3", "split_4", "split_5"]
    assert {name for group in GROUPS for name in names_of(group, source)} == found.keys()
    job = found["split_4"].job(source, Path("out"), Path("data"), Path("imdb"))
    assert job.seed == 3
    assert job.held["language"] == Path("run")
    assert job.held["tune"] == Path("out/reference")
    assert "joint" not in job.held
