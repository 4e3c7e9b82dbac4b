"""Phases 1 to 3 from a bundle, on conversations: on one worker, and on two that share the language model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from PIL import Image
from torch.distributed.tensor import DTensor

from launch.datasets.errors import DatasetError
from launch.datasets.llava import Conversation, Turn
from launch.errors import Interrupted, LaunchError
from launch.training import published
from launch.training.chats import Chats, due, picture_of
from launch.training.loop import Checkpoint
from launch.training.order import order
from launch.training.packing import EOS_WEIGHT
from launch.training.parallel import Team
from launch.training.published import (
    ChatJob,
    make_learner,
    read_chats,
    train_published,
    trained_learner,
    work,
)
from launch.training.recipe import Plan, Recipe
from launch.training.stop import ask_to_stop, forget_to_stop
from launch.training.tuning import ALIGN, JOINT, PHASES, TUNE
from shared.semantic.bundle import Bundle, save_bundle
from shared.semantic.masks import GENERATED, IMAGE, TEXT
from tests.unit.launch.training.tiny import packer_of
from tests.unit.launch.training.workers import start_workers
from tests.unit.shared.semantic.tiny import tiny_config, tiny_model, tiny_tokenizer

RECIPE = Recipe(
    {ALIGN: Plan(2, 2, 1e-2), TUNE: Plan(3, 2, 1e-2), JOINT: Plan(2, 2, 1e-2)}, 2, compiled=False, length=160
)
TOLERANCE = 1e-4
"""Between one worker and two, in float32: only the order of sums differs."""
AFTER_JOINT = 3e-3
"""The same after phase 3, whose codec begins with principal components; its rate is 1e-2 a step."""


pytestmark = pytest.mark.timeout(280)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> ChatJob:
    """A bundle with Gemma2's caps, and conversations of all kinds; reviews."""
    root = tmp_path_factory.mktemp("published")
    (root / "images").mkdir()
    rng = np.random.default_rng(0)
    records = []
    for number in range(46):
        name = f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (20, 24, 3), np.uint8)).save(root / "images" / name)
        turns = [("<image>\nWhat colour is the cube?", "red"), ("Any small things?", "yes 2")]
        record: dict[str, object] = {"id": str(number), "image": name}
        if number % 3 == 1:
            turns = [("<image>", "a big red cube")]
        elif number % 3 == 2:
            record, turns = {"id": str(number)}, [("Is a film good?", "no")]
        said = [
            {"from": who, "value": text}
            for turn in turns
            for who, text in zip(("human", "gpt"), turn, strict=True)
        ]
        records.append({**record, "conversations": said})
    (root / "chat.json").write_text(json.dumps(records))
    rows = [{"id": str(n), "label": ("pos", "neg")[n % 2], "text": f"a film {n}"} for n in range(42)]
    (root / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = tiny_model(tiny_config(softcap=50.0, layers=3))
    save_bundle(root / "start", model, tiny_tokenizer(), "# start\n", torch.float32)
    return ChatJob(
        root / "start", RECIPE, root / "chat.json", root / "images", root / "reviews.jsonl", root / "one"
    )


def test_two_workers_stopped_and_continued_do_what_one_does_without(job: ChatJob, tmp_path: Path) -> None:
    """The same rows a step: the same losses, and the same weights in the end."""
    torch.set_num_threads(1)
    two = replace(job, out=tmp_path / "two")
    for out in (job.out, two.out):
        out.mkdir()
    work(Team(0, 1), job)
    start_workers(sharded_work, two, tmp_path / "first", TUNE)
    stopped = torch.load(two.out / "tune.pt", weights_only=True)
    assert stopped["step"] == 1
    assert not (two.out / "joint.pt").exists()
    start_workers(sharded_work, two, tmp_path / "second", None)
    found, expected = last_lines(two.out), last_lines(job.out)
    assert found.keys() == expected.keys() == set(PHASES)
    for phase in (ALIGN, JOINT):  # the last line of the phase that was stopped is a mean over fewer steps
        assert expected[phase], phase
        for name, value in expected[phase].items():
            # figures are written with four digits
            assert found[phase][name] == pytest.approx(value, rel=TOLERANCE, abs=1.01e-4), (phase, name)
    for phase, tolerance in ((ALIGN, TOLERANCE), (TUNE, TOLERANCE), (JOINT, AFTER_JOINT)):
        ones, others = (Checkpoint(out / f"{phase}.pt").modules() for out in (job.out, two.out))
        assert ones.keys() == others.keys() == {"projector", "codec", "adapters"}
        for name, tensors in ones.items():
            for key, tensor in tensors.items():
                torch.testing.assert_close(others[name][key], tensor, rtol=tolerance, atol=tolerance, msg=key)


def last_lines(out: Path) -> dict[str, dict[str, float]]:
    """The losses of each phase's last line: means over its steps since it was begun or continued."""
    found: dict[str, dict[str, float]] = {}
    for text in (out / "log.jsonl").read_text().splitlines():
        line = json.loads(text)
        if line["step"] == RECIPE.plans[line["phase"]].steps:
            figures = {name: value for name, value in line.items() if name.endswith("/loss")}
            found.setdefault(line["phase"], {}).update(figures)
    return found


def sharded_work(rank: int, job: ChatJob, meeting: Path, stop_in: str | None) -> None:
    """One of two workers; the language model must really be shared between them."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    tune = published.tune

    def watched(team: Team, phase: str, learner: published.Learner, *rest: object) -> None:
        layers = learner.model.llm.model.layers.named_parameters()
        whole = [name for name, p in layers if not isinstance(p, DTensor)]
        assert whole == []
        if phase == stop_in and team.leads:
            ask_to_stop(job.out)
        tune(team, phase, learner, *rest)  # type: ignore[arg-type]

    published.tune = watched  # type: ignore[assignment]
    try:
        if stop_in is None:
            work(Team(rank, 2), job)
        else:
            with pytest.raises(Interrupted, match="tune: stopped after step 1 of 3"):
                work(Team(rank, 2), job)
            dist.barrier()
            forget_to_stop(job.out)
    finally:
        dist.destroy_process_group()


def test_a_bundle_comes_out_and_only_what_is_trained_has_changed(job: ChatJob, tmp_path: Path) -> None:
    """Goes on with what is in the folder: no phase is run again."""
    torch.set_num_threads(1)
    if not (job.out / "joint.pt").exists():
        job.out.mkdir(exist_ok=True)
        work(Team(0, 1), job)
    assert train_published(job, 1, tmp_path / "bundle")
    assert (job.out / "curves.png").exists()
    start, made = Bundle.load(job.start), Bundle.load(tmp_path / "bundle")
    before, after = start.model().state_dict(), made.model().state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.partition(".")[0] for name in changed} == {"projector", "codec", "llm"}
    assert all(name.endswith("_proj.weight") for name in changed if name.startswith("llm."))
    learner = trained_learner(job)
    ids = torch.tensor([[2, 7, 9, 30]])
    with torch.no_grad():
        adapted, plain = learner.model.llm(ids).logits, made.model().llm(ids).logits
    torch.testing.assert_close(plain, adapted, rtol=1e-3, atol=1e-3)


def test_bfloat16_bundles_keep_what_is_trained_in_float32(job: ChatJob, tmp_path: Path) -> None:
    model = tiny_model(tiny_config(softcap=50.0, layers=3))
    save_bundle(tmp_path / "half", model, tiny_tokenizer(), "# half\n", torch.bfloat16)
    out = tmp_path / "out"
    out.mkdir()
    half = replace(job, start=tmp_path / "half", out=out)
    learner = make_learner(Bundle.load(half.start), half)
    assert learner.mixed
    assert {p.dtype for p in learner.parameters(JOINT)} == {torch.float32}
    assert learner.model.llm.model.embed_tokens.weight.dtype == torch.bfloat16
    work(Team(0, 1), half)
    assert np.isfinite([value for line in last_lines(out).values() for value in line.values()]).all()


def test_every_question_is_a_group_behind_the_shared_picture() -> None:
    config, codec = tiny_config(), tiny_tokenizer()
    packer = packer_of(config, codec, 160)
    chat = Conversation("1", Path("x.png"), (Turn("What colour is it?", "red"), Turn("Any cube?", "yes")))
    batch = packer.conversations([chat])
    segments, groups = batch.segments_BT[0], batch.groups_BT[0]
    assert int((segments == IMAGE).sum()) == config.image_tokens
    for group, turn in enumerate(chat.turns, 1):
        said = batch.ids_BT[0][(segments == GENERATED) & (groups == group)].tolist()
        asked = batch.ids_BT[0][(segments == TEXT) & (groups == group)].tolist()
        assert (asked, said) == (codec.encode(turn.question), codec.encode(turn.answer))
    starts = [int(batch.positions_BT[0][(segments == TEXT) & (groups == g)][0]) for g in (1, 2)]
    assert starts[0] == starts[1]  # a question's position does not depend on the others
    wanted = [*codec.encode("red"), config.llm.eos_id, *codec.encode("yes"), config.llm.eos_id]
    assert batch.targets_P.tolist() == wanted


def test_a_long_first_question_is_cut_and_later_ones_are_left_out() -> None:
    config, codec = tiny_config(), tiny_tokenizer()
    packer = packer_of(config, codec, 60)
    chat = Conversation("1", None, (Turn("cube " * 80, "red " * 80), Turn("Any?", "yes")))
    batch = packer.conversations([chat])
    assert int(batch.groups_BT.max()) == 1
    assert int((batch.segments_BT == TEXT).sum()) <= config.limits.text_tokens
    assert int((batch.segments_BT == GENERATED).sum()) > 0
    assert (batch.weights_P != EOS_WEIGHT).all()  # the answer goes on where it was cut


def test_kinds_come_by_turns_and_alignment_needs_pictures() -> None:
    kinds = ["vqa", "caption", "text", "review"]
    turns = [list(due(kinds, TUNE, step)) for step in range(12)]
    assert all(turn[0] == "vqa" for turn in turns)
    assert {kind for turn in turns for kind in turn} == set(kinds)
    assert {kind for step in range(12) for kind in due(kinds, ALIGN, step)} == {"vqa", "caption"}


def test_bad_sources_are_one_line(job: ChatJob, tmp_path: Path) -> None:
    few = tmp_path / "few.json"
    few.write_text(json.dumps(json.loads(job.conversations.read_text())[:3]))
    with pytest.raises(DatasetError, match="expected questions about pictures among those for train"):
        read_chats(replace(job, conversations=few))
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=rf"^{tmp_path}/x\.png: cannot be used \(image: not a PNG"):
        picture_of(Conversation("1", tmp_path / "x.png", (Turn("?", "!"),)))
    with pytest.raises(LaunchError, match=r"--from .*name: expected 'paper', found 'tiny'"):
        order(
            preset="paper",
            sources={"--from": job.start, "--conversations": job.conversations, "--images": job.images},
            out=tmp_path / "out",
            bundle=None,
            workers=1,
            scale=1.0,
            seed=0,
            resume=False,
            force=False,
        )
    assert not (tmp_path / "out").exists()


def test_parts_do_not_overlap(job: ChatJob) -> None:
    chats, _ = read_chats(job)
    parts = [Chats.of_part(part, chats, *([None] * 3)) for part in ("train", "dev", "test")]  # type: ignore[arg-type]
    ids = [chat.record_id for part in parts for pool in part.by_kind.values() for chat in pool]
    assert sorted(ids) == sorted(chat.record_id for chat in chats)
