"""The bench of sockets: frames through the emulator's own process, and through the forwarder beside it."""

from pathlib import Path
from typing import Any

from launch.bench.order import Order
from launch.bench.single import run_single
from launch.bench.sockets import Sizes, bench
from launch.bench.testbed import Runs
from shared.config import RunConfig
from shared.shipped import bundle_folder


def test_frames_and_answers_go_through_either_hub(tmp_path: Path) -> None:
    def refuse(config: RunConfig, folder: Path) -> dict[str, Any]:
        raise AssertionError("no testbed was to be started")

    lines = bench(Order(Runs(tmp_path, refuse), rounds=1), Sizes(receivers=2, uses=64, frames=3, trips=2))
    assert [line.name for line in lines] == ["sockets.frames", "sockets.trip"]
    assert all(line.value.median > 0 and line.ratio is not None for line in lines)


def test_one_process_answers_and_is_looked_at_while_it_is_there() -> None:
    single = run_single(bundle_folder("micro"), seed=0)
    assert 0 < single.ready_s < single.answered_s
    assert single.pss_bytes > 50 * 2**20  # torch alone is larger
