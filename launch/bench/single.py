"""One process without a testbed: it imports, loads and answers. What launch and memory are measured against.

    python -m launch.bench.single FOLDER

Prints `ready` when the bundle is loaded and has answered once, `answered` after a question about a picture,
and stays until its standard input closes, so that its memory can be looked at.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from launch.errors import LaunchError

QUESTION = "how many large metal cubes are there ?"


@dataclass(frozen=True, slots=True)
class Single:
    """Seconds from its start, and its proportional set size when it had answered."""

    ready_s: float
    answered_s: float
    pss_bytes: int


def run_single(bundle: Path, seed: int) -> Single:
    """Raises `LaunchError` when the process ends early."""
    began_s = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "launch.bench.single", str(bundle), str(seed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        marks = {}
        for wanted in ("ready", "answered"):
            if process.stdout.readline().strip() != wanted:
                raise LaunchError(f"bench: the single process ended before it was {wanted}")
            marks[wanted] = time.monotonic() - began_s
        pss_bytes = _pss_of(process.pid)
        process.stdin.close()
    return Single(marks["ready"], marks["answered"], pss_bytes)


def _pss_of(pid: int) -> int:
    """As the testbed's own sampler counts it."""
    from launch.resources.sampler import RESOURCES_FILE, ResourceLog, Watched
    from launch.resources.use import read_resources

    with TemporaryDirectory() as folder:
        log = ResourceLog(Path(folder) / RESOURCES_FILE)
        log.sample(0.0, [Watched("single", 0, 0, pid)])
        log.close()
        return read_resources(Path(folder))[0].pss_bytes


def main(bundle_path: str, seed: str) -> None:
    import torch

    from launch.bench.pictures import draw_pictures
    from shared.semantic.bundle import Bundle
    from shared.semantic.whole import Prompt, WholeModel

    torch.set_num_threads(1)
    model = WholeModel(Bundle.load(bundle_path))
    prompt = Prompt("vqa", QUESTION, draw_pictures(1, int(seed))[0])
    model.answer(prompt, max_new_tokens=2)
    print("ready", flush=True)
    model.answer(prompt)
    print("answered", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
