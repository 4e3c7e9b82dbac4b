"""All phases on a codec of toy size: from nothing to a bundle that loads, also after a kill."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from launch.errors import Interrupted, LaunchError
from launch.order_file import ORDER_FILE
from launch.training import run as training
from launch.training.loop import LOG_EVERY, Checkpoint
from launch.training.lora import add_adapters, merged
from launch.training.order import order
from launch.training.parallel import Team
from launch.training.recipe import Plan
from launch.training.run import TOKENIZER_FILE, Job, done, train_bundle, trained_model
from launch.training.stop import ask_to_stop, forget_to_stop
from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.model import SemanticModel
from tests.unit.launch.training.tiny import RECIPE, few_reviews, grid_config, plain_pictures, trace_codec
from tests.unit.launch.training.workers import start_workers
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plain_pictures(tmp_path_factory.mktemp("data") / "train", "train", 44)


@pytest.fixture(scope="module")
def imdb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return few_reviews(tmp_path_factory.mktemp("imdb") / "reviews.jsonl.gz")


def job_in(out: Path, data: Path, imdb: Path) -> Job:
    out.mkdir()
    trace_codec().tokenizer.save(str(out / TOKENIZER_FILE))
    return Job(grid_config(), RECIPE, data, imdb, out)


def test_from_nothing_to_a_bundle(
    tmp_path: Path, data: Path, imdb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    job = job_in(tmp_path / "a", data, imdb)
    train_bundle(job, 1, tmp_path / "bundle")
    assert Bundle.load(tmp_path / "bundle").config.name == "tiny"
    phases = [json.loads(line)["phase"] for line in (job.out / "log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(phases)) == ["vision", "language", "align", "tune", "joint"]
    assert (job.out / "curves.png").stat().st_size > 10_000
    assert len(list((job.out / "tensorboard").iterdir())) == 5
    assert all(done(job, phase) for phase in RECIPE.plans)

    # stopped between phases and continued, the weights are the same
    again = job_in(tmp_path / "b", data, imdb)
    tune = training.tune
    for before in ("tune", "joint"):

        def stopped(team: object, phase: str, *rest: object, before: str = before) -> None:
            if phase == before:
                raise KeyboardInterrupt
            tune(team, phase, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(training, "tune", stopped)
        with pytest.raises(KeyboardInterrupt):
            train_bundle(again, 1)
        monkeypatch.undo()
    train_bundle(again, 1)
    one, other = trained_model(job).state_dict(), trained_model(again).state_dict()
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_two_workers_train_vision_and_language_side_by_side(tmp_path: Path, data: Path, imdb: Path) -> None:
    """Each as one worker alone would."""
    torch.set_num_threads(1)
    alone, both = job_in(tmp_path / "alone", data, imdb), job_in(tmp_path / "both", data, imdb)
    training.pretrain(Team(0, 1), alone, training.tokenizer_of(alone), False)
    start_workers(pretrain_in_two, both, tmp_path / "meeting", None)
    assert parts_of(both) == ["language 1", "vision 1"]
    for phase in ("vision", "language"):
        one, other = (Checkpoint(job.out / f"{phase}.pt").modules() for job in (alone, both))
        for name, tensors in one.items():
            for key, tensor in tensors.items():
                torch.testing.assert_close(other[name][key], tensor, rtol=1e-4, atol=1e-5, msg=key)


def test_the_half_that_is_done_joins_the_other(tmp_path: Path, data: Path, imdb: Path) -> None:
    torch.set_num_threads(1)
    recipe = replace(RECIPE, plans={**RECIPE.plans, "vision": Plan(LOG_EVERY + 2, 2, 1e-3)})
    alone, both = (replace(job_in(tmp_path / n, data, imdb), recipe=recipe) for n in ("alone", "both"))
    training.pretrain(Team(0, 1), alone, training.tokenizer_of(alone), False)
    start_workers(pretrain_in_two, both, tmp_path / "meeting", "join")
    assert parts_of(both) == ["language 1", "vision 1", "vision 2", "vision 2"]
    one, other = (figures_of(job, "vision") for job in (alone, both))
    assert [line["step"] for line in other] == [LOG_EVERY, LOG_EVERY + 2, LOG_EVERY + 2]
    # The last steps are taken by both, a row each: the same but for bfloat16's rounding.
    assert other[-1]["dev/symbols_loss"] == pytest.approx(one[-1]["dev/symbols_loss"], rel=0.02)
    assert other[1]["patches/loss"] == pytest.approx(one[1]["patches/loss"], rel=0.02)


def test_where_one_half_is_stopped_both_end_and_what_is_done_stays(
    tmp_path: Path, data: Path, imdb: Path
) -> None:
    torch.set_num_threads(1)
    job = job_in(tmp_path / "out", data, imdb)
    start_workers(pretrain_in_two, job, tmp_path / "first", "stop")
    assert [phase for phase in ("vision", "language") if done(job, phase)] == ["language"]
    assert torch.load(job.out / "vision.pt", weights_only=True)["step"] == 1
    start_workers(pretrain_in_two, job, tmp_path / "second", None)
    assert parts_of(job) == ["language 1", "vision 1", "vision 2", "vision 2"]
    assert done(job, "vision")


def figures_of(job: Job, phase: str) -> list[dict[str, float]]:
    lines = [json.loads(text) for text in (job.out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["phase"] == phase]


def parts_of(job: Job) -> list[str]:
    """Which phases were begun, each with how many workers shared it, once a worker."""
    return sorted((job.out / "parts").read_text().splitlines())


def pretrain_in_two(rank: int, job: Job, meeting: Path, then: str | None) -> None:
    """One of two workers. `then`: vision begins when language is done, to be stopped or to be joined."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    train_one = training._pretrain_one

    def watched(team: Team, phase: str, *rest: object) -> None:
        with (job.out / "parts").open("a") as file:
            file.write(f"{phase} {team.size}\n")
        waits = team.size == 1 and then is not None
        if waits and phase == "vision":
            dist.barrier()
            if then == "stop":
                ask_to_stop(job.out)
        train_one(team, phase, *rest)  # type: ignore[arg-type]
        if waits and phase == "language":
            dist.barrier()

    training._pretrain_one = watched
    try:
        codec = training.tokenizer_of(job)
        if then == "stop":
            with pytest.raises(Interrupted, match="stopped"):
                training.pretrain(Team(rank, 2), job, codec, False)
            dist.barrier()
            forget_to_stop(job.out)
        else:
            training.pretrain(Team(rank, 2), job, codec, False)
    finally:
        training._pretrain_one = train_one
        dist.destroy_process_group()


def test_merged_adapters_compute_what_the_adapted_model_computes() -> None:
    model = tiny_model(grid_config(layers=2))
    adapters = add_adapters(model.llm, 4)
    assert adapters
    assert all(p.requires_grad for p in adapters)
    assert not model.llm.model.embed_tokens.weight.requires_grad
    for parameter in adapters:
        nn.init.normal_(parameter, std=0.2)
    ids = torch.tensor([[2, 7, 9, 30]])
    adapted = model.llm(ids).logits
    plain = SemanticModel(model.config).llm.eval()
    before = plain(ids).logits
    plain.load_state_dict({name: make() for name, make in merged(model.llm).items()})
    torch.testing.assert_close(plain(ids).logits, adapted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(before, adapted, atol=1e-2)


def ordered(**changes: object) -> object:
    asked: dict[str, object] = {"preset": "micro", "bundle": None, "workers": 1, "scale": 0.01}
    asked |= {"seed": 0, "resume": False, "force": False}
    sources = {name: changes.pop(name) for name in [*changes] if name.startswith("--")}
    return order(sources=sources, **{**asked, **changes})  # type: ignore[arg-type]


def test_an_order_is_checked_before_anything_is_done(tmp_path: Path, data: Path, imdb: Path) -> None:
    out = tmp_path / "out"
    given: dict[str, object] = {"out": out, "--data": data, "--imdb": imdb}
    (tmp_path / "there").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    plain = tmp_path / "plain"
    save_bundle(plain, tiny_model(tiny_config(layers=2)), tiny_tokenizer(), "# plain\n")
    for changes, message in (
        ({"preset": "huge"}, "--preset huge: expected micro or paper"),
        ({"--data": tmp_path / "none"}, "--data .*: no such file or folder"),
        ({"--data": tmp_path / "there"}, "no scenes.jsonl"),
        ({"--imdb": tmp_path / "none"}, "--imdb"),
        ({"--imdb": None}, "--preset micro: expected --imdb"),
        ({"--images": tmp_path}, "--images: not with --preset micro"),
        ({"preset": "paper"}, "--preset paper: expected --from"),
        ({"split_layer": 1}, "--split-layer 1: expected --from"),
        ({"split_layer": 7, "--from": plain}, "--split-layer 7: expected 0 to 6"),
        ({"split_layer": 1, "--from": plain}, "--from .*: expected the sizes of 'micro', found others"),
        (
            {"split_layer": 1, "preset": "micro", "scheme": "deepsc", "--data": None},
            "--split-layer 1: not with --scheme deepsc, only with --preset micro",
        ),
        ({"workers": 3}, "--workers 3"),
        ({"bundle": tmp_path / "full"}, "--bundle .* is no bundle: not replaced"),
        ({"bundle": tmp_path / "full", "force": True}, "--bundle .* is no bundle: not replaced"),
        ({"bundle": plain}, r"other sizes \(tiny\) that cannot be compared; give --force"),
        ({"out": tmp_path / "full"}, "not empty"),
        ({"resume": True}, "no run to continue"),
    ):
        with pytest.raises(LaunchError, match=message) as raised:
            ordered(**{**given, **changes})
        assert "\n" not in str(raised.value)
        assert not out.exists()
    ordered(**given)
    with pytest.raises(LaunchError, match="holds a run"):
        ordered(**given)
    with pytest.raises(LaunchError, match="seed was 0 there, now it is 1"):
        ordered(**given, resume=True, seed=1)
    ordered(**given, resume=True)
    (out / ORDER_FILE).write_text("{")
    with pytest.raises(LaunchError, match="not JSON"):
        ordered(**given, resume=True)
