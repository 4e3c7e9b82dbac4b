"""What the users ask in a run: `workload.jsonl`, one request a line, written before the run starts."""

from launch.workload.build import build_workload

__all__ = ["build_workload"]
