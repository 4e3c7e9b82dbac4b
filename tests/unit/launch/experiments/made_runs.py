"""Training and runs whose answers are made up; data, workload, books, summary and files are real."""

from pathlib import Path
from typing import Any

import torch

from launch.experiments.make import bundle_folder
from launch.run_files import read_run
from launch.runfolder import create_run_folder
from launch.summary import write_results
from launch.training.run import Job
from launch.workload import build_workload
from shared.config import RunConfig
from shared.semantic.bundle import Bundle, save_bundle
from tests.unit.launch.made_run import MadeRun
from tests.unit.launch.training.tiny import trace_codec
from tests.unit.shared.semantic.tiny import tiny_model

RIGHT = {"split_0": 2, "mlp": 6}
"""Of ten answers; the others' bundles give eight."""


class Stands:
    """In for `make_bundle` and `run_summary`; `made` and `ran` say what was asked of them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.ran: list[Path] = []

    def make(self, job: Job, workers: int) -> None:
        self.made.append(job.out.name)
        save_bundle(bundle_folder(job), tiny_model(job.config), trace_codec(), "# made\n", torch.float32)

    def run(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        self.ran.append(folder)
        create_run_folder(config, folder)
        build_workload(config, folder)
        made = MadeRun(folder, users=config.users)
        made.attach()
        entries = read_run(folder).workload
        right = RIGHT.get(Path(config.bundle).parent.name, 8)
        made.event(
            "bs", "encoded", public_tokens=len(entries), private_tokens=60 * len(entries), merged_tokens=3
        )
        for entry in entries:
            answer = entry["expected"] if entry["index"] % 10 < right else "none of these"
            made.request(entry["index"], entry["user"], answer, control=None)
            made.events[-1]["generated_tokens"] = 5
        made.drained()
        made.write_journal()
        fingerprint = Bundle.load(config.bundle).fingerprint
        return write_results(folder, config, [], fingerprint=fingerprint)
