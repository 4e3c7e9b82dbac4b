"""The last step of every run, good or cut short: results and report into the run folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.report.page import write_report
from launch.runfolder import SUMMARY_FILE
from launch.summary import write_results
from shared.config import RunConfig


def complete_run_folder(
    run_dir: Path,
    config: RunConfig,
    *,
    run_id: str,
    roles: Sequence[Mapping[str, Any]] = (),
    started_wall_s: float | None = None,
    launch: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ledger.csv, ledger.parquet, summary.json and report.html; returns the summary.

    Works with whatever is there: after a SIGKILL the journal and the counter files are. `launch` is what
    only the supervisor knows: why the run was cut short, how the stop went, start-up times in seconds.
    """
    # The bundle's fingerprint is what the base station loaded, not what the configuration named.
    fingerprint = next((r["fingerprint"] for r in roles if r["role"] == "bs" and r.get("fingerprint")), None)
    summary = write_results(
        run_dir, config, roles, run_id=run_id, started_wall_s=started_wall_s, fingerprint=fingerprint
    )
    if launch is not None:
        summary["launch"] = dict(launch)
        path = run_dir / SUMMARY_FILE
        partial = path.with_name(path.name + ".tmp")
        partial.write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    write_report(run_dir)
    return summary
