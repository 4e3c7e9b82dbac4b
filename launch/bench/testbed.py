"""Runs of the real testbed that several benches read: each is made once, in a temporary folder.

`crowd` is the demo, four users at once, with the use of every process sampled. `alone` has one user, whose
requests come a while apart. `full` has 16 users, who ask in rounds, the next as soon as the last is served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from launch.bench.single import Single, run_single
from launch.errors import LaunchError
from shared.config import RunConfig

RunToEnd = Callable[..., dict[str, Any]]
"""As `launch.one_run.run_to_end`."""
CONFIGS: Final = Path(__file__).resolve().parent.parent / "configs"
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "crowd": ("resources.every_s=0.5",),
        "alone": (
            "users=1",
            "window_ms=0",
            "max_group=1",
            "workload.overlap=0",
            "workload.tasks=[vqa]",
            "workload.requests=20",
            "workload.requests_per_s=1.5",
        ),
        "full": (
            "users=16",
            "deadline_ms=120000",
            "retransmission.nack_after_ms=1000",
            "workload.overlap=0",
            "workload.tasks=[vqa]",
            "workload.requests=240",
            "workload.limit=40",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Made:
    """A run that is over."""

    config: RunConfig
    folder: Path
    summary: Mapping[str, Any]


@dataclass
class Runs:
    """Makes runs below `base` with `run` when they are first asked for; `overrides` apply to all."""

    base: Path
    run: RunToEnd
    seed: int = 0
    overrides: tuple[str, ...] = ()
    _made: dict[str, Made] = field(default_factory=dict)
    _single: Single | None = None

    def get(self, kind: str) -> Made:
        """Raises what a run raises, and `LaunchError` where its verdict is not valid."""
        if kind not in self._made:
            self._made[kind] = self.fresh(kind, kind)
        return self._made[kind]

    def fresh(self, kind: str, name: str, *how: Any) -> Made:
        """One more run of a kind, in a folder of that name; `how`: display and dashboard, as for `run`."""
        from shared.config_file import load_config

        config = load_config(
            CONFIGS / "demo.yaml",
            (f"name=bench-{kind}", f"seed={self.seed + 1}", *KINDS[kind], *self.overrides),
        )
        folder = self.base / name
        summary = self.run(config, folder, *how)
        if summary.get("verdict") != "valid":
            findings = "; ".join(map(str, summary.get("findings", []))) or "no findings"
            raise LaunchError(f"bench: the run {name} is {summary.get('verdict')}, not valid ({findings})")
        return Made(config, folder, summary)

    def single(self) -> Single:
        """One process without a testbed, measured once. Raises `LaunchError`."""
        if self._single is None:
            from shared.shipped import bundle_folder

            self._single = run_single(bundle_folder("micro"), self.seed)
        return self._single
