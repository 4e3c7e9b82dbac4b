"""What a role process is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

from shared.config import RunConfig
from shared.keys import RoleKeys


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """Everything a role process needs; passed by the agent, picklable, no open handles.

    `role` is bs, ce or ue; `user` is -1 except for UEs; `data_endpoint` is empty for the emulator, which
    binds and reports its own. `host` names the machine in the journal. `keys`: None without CURVE.
    """

    run_id: str
    role: str
    user: int
    incarnation: int
    config: RunConfig
    run_dir: Path
    control_endpoint: str
    data_endpoint: str
    host: str
    keys: RoleKeys | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """bs, ce, or ue-3: used for routing ids and logs."""
        return f"ue-{self.user}" if self.role == "ue" else self.role

    @property
    def process_name(self) -> str:
        """ue-3.0: of this incarnation alone."""
        return f"{self.name}.{self.incarnation}"

    @property
    def log_path(self) -> Path:
        return self.run_dir / "logs" / f"{self.name}.log"

    @property
    def journal_path(self) -> Path:
        return self.run_dir / "journal.jsonl"

    @property
    def counters_path(self) -> Path:
        return self.run_dir / "counters" / f"{self.process_name}.bin"

    @property
    def workload_path(self) -> Path:
        return self.run_dir / "workload.jsonl"
