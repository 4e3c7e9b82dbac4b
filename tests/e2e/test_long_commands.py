"""`m4sc data` and `m4sc train` under stop signals: gone within 5 s, and what is left goes on.

The bound of 5 s is an idle machine's; on a busy one it grows with the wall time that CPU time takes.
"""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from PIL import Image

from launch.datasets.clevr_style.scene import sample_scene
from launch.training.mixed import bfloat16_is_faster
from tests.e2e.helpers import M4SC, Workplace, on_a_quiet_machine, wait_until

START_S = 120.0
"""On an idle machine, as the 5 s."""
pytestmark = pytest.mark.timeout(280)


def started_within_s() -> float:
    return min(200.0, on_a_quiet_machine(START_S))


def background(place: Workplace, arguments: str, **more: str) -> "subprocess.Popen[str]":
    """As a script does it: a shell without job control starts `&` jobs with SIGINT ignored."""
    script = f"{M4SC} {arguments} > stdout.txt 2> stderr.txt & echo $!; wait $!; echo code $?"
    return subprocess.Popen(
        ["sh", "-c", script],
        cwd=place.folder,
        env={**place.environment, **more},
        stdout=subprocess.PIPE,
        text=True,
    )


def stop(place: Workplace, shell: "subprocess.Popen[str]", pid: int, number: signal.Signals) -> str:
    """Signal, see everything end within 5 s, return what the script says in the end."""
    limit_s = on_a_quiet_machine(5.0)
    os.kill(pid, number)
    place.gone_within(limit_s)
    return shell.communicate(timeout=2.0)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_build_stops_and_goes_on(real: Workplace, number: signal.Signals) -> None:
    pytest.importorskip("mitsuba")
    root = real.folder / "set"
    shell = background(real, "data clevr-style set --count 500 --samples 1 --workers 2")
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    log = root / "scenes.jsonl"
    wait_until(lambda: log.exists() and log.read_text().count("\n"), started_within_s(), "a first scene")
    if number == signal.SIGINT:  # once is enough
        second = real.run("data", "clevr-style", "set", "--count", "500", "--samples", "1")
        assert (second.returncode, second.stderr.count("\n")) == (2, 1)
        assert "another process is writing into it" in second.stderr
    assert stop(real, shell, pid, number) == "code 3\n"
    errors = (real.folder / "stderr.txt").read_text()
    assert errors.count("\n") == 1
    assert "the same command goes on" in errors
    done = log.read_text().count("\n")
    kept = {path.name: path.stat().st_mtime_ns for path in (root / "images").glob("*.png")}
    assert 0 < done <= len(kept) < 500
    again = real.run("data", "clevr-style", "set", "--count", "1", "--samples", "1")
    assert again.returncode == 0, again.stderr
    assert len(json.loads((root / "scenes.json").read_text())["scenes"]) >= done
    assert not list((root / "images").glob("*.tmp"))
    for name, written in kept.items():  # nothing is rendered twice
        assert (root / "images" / name).stat().st_mtime_ns == written


def pictures_and_reviews(folder: Path) -> None:
    (folder / "set" / "images").mkdir(parents=True)
    scenes = [sample_scene(0, "train", index) for index in range(44)]
    for scene in scenes:
        Image.new("RGB", (240, 160), (90, 90, scene["image_index"])).save(
            folder / "set" / "images" / scene["image_filename"]
        )
    (folder / "set" / "scenes.jsonl").write_text("".join(json.dumps(scene) + "\n" for scene in scenes))
    rows = [{"id": str(n), "label": ("pos", "neg")[n % 2], "text": f"a film {n}"} for n in range(40)]
    (folder / "reviews.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_training_stops_with_a_checkpoint_and_goes_on(real: Workplace, workers: int) -> None:
    """In its first phase, just after it has begun; nothing is compiled, so the first step is a short one."""
    if workers > 1:
        pytest.importorskip("ray.train")
    pictures_and_reviews(real.folder)
    order = f"train --data set --imdb reviews.jsonl --out out --workers {workers}"
    begun = real.folder / "out" / "tensorboard" / "vision"
    shell = background(real, order, TORCHDYNAMO_DISABLE="1")
    assert shell.stdout is not None
    pid = int(shell.stdout.readline())
    wait_until(begun.exists, started_within_s(), "the first phase has begun")
    busy = on_a_quiet_machine(1.0)
    assert stop(real, shell, pid, signal.SIGINT) == "code 3\n"
    step = step_left(real, 1, busy)
    if workers == 1:  # the same going on with two is only slower to test
        boards = len(list(begun.iterdir()))
        shell = background(real, f"{order} --resume", TORCHDYNAMO_DISABLE="1")
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        wait_until(lambda: len(list(begun.iterdir())) > boards, started_within_s(), "it has gone on")
        busy = on_a_quiet_machine(1.0)
        assert stop(real, shell, pid, signal.SIGTERM) == "code 3\n"
        step_left(real, step + 1, busy)


def step_left(place: Workplace, at_least: int, busy: float) -> int:
    """The step of the checkpoint that a stopped training left.

    Where a step takes longer than the command waits (busy, or in float32), one that was cut in
    its middle leaves the checkpoint before it, or none. `busy`: how many times as long as on an idle machine
    things took when it was stopped; afterwards the machine is idle again.
    """
    errors = (place.folder / "stderr.txt").read_text()
    assert "--resume goes on" in errors
    assert not (place.folder / "out" / "stop").exists()
    cut = errors.startswith("m4sc: stopped by")
    slow = not bfloat16_is_faster() or busy > 2.0
    assert not cut or slow, "a step is far shorter than the command's own limit"
    checkpoint = place.folder / "out" / "vision.pt"
    step = int(torch.load(checkpoint, weights_only=True)["step"]) if checkpoint.exists() else 0
    assert step >= at_least or cut
    return step
