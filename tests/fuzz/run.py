"""One bounded run of one target: inputs to start from laid out, a process that fuzzes, and what it said."""

import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.catalogue import Target

INPUT_TIMEOUT_S: Final = 5
MEMORY_MIB: Final = 1_024
MAX_INPUT_BYTES: Final = 4_096
_START_S: Final = 60.0
_KINDS: Final = {"crash": "crash-", "hang": "timeout-", "memory": "oom-"}
_PROGRESS = re.compile(r"^#\d+\s.* cov: (\d+) ft: (\d+)", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_LAST = re.compile(r"^#(\d+)\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `edges` were reached in the Python code, `features` are edges by how often.

    `findings` are files with the inputs that a door did not survive, by kind: crash, hang, memory; `problem`
    is why the run itself failed, if it did.
    """

    target: str
    seconds: float
    executions: int
    edges: int
    features: int
    inputs_kept: int
    findings: dict[str, list[Path]]
    problem: str

    @property
    def clean(self) -> bool:
        return not any(self.findings.values()) and not self.problem

    def line(self) -> str:
        found = ", ".join(f"{len(self.findings[kind])} {kind}" for kind in _KINDS)
        return (
            f"{self.target:16} {self.seconds:7.1f} s {self.executions:9} inputs {self.edges:6} edges "
            f"{self.features:6} features {self.inputs_kept:5} kept   {found}"
        )


def fuzz(target: Target, seconds: int, out: Path, seed: int, max_bytes: int = MAX_INPUT_BYTES) -> Report:
    """Fuzz a target for so long, or until the first finding. `out` keeps inputs from run to run."""
    folder = out / target.name
    kept, found, seeds = folder / "corpus", folder / "findings", folder / "seeds"
    for each in (kept, found, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for old in (*found.iterdir(), *seeds.iterdir()):
        old.unlink()
    starts = [*target.seeds, *(path.read_bytes() for path in target.regressions())]
    for number, data in enumerate(starts):
        (seeds / f"{number:03}").write_bytes(data)
    words = folder / "tokens.dict"
    words.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    command = [
        sys.executable, "-m", "tests.fuzz.child", target.name, str(kept), str(seeds),
        f"-max_total_time={seconds}", f"-timeout={INPUT_TIMEOUT_S}",
        f"-rss_limit_mb={_own_peak_mib() + MEMORY_MIB}",
        f"-max_len={max_bytes}", f"-artifact_prefix={found}/", f"-seed={seed}", "-print_final_stats=1",
        *([f"-dict={words}"] if target.tokens else []),
    ]  # fmt: skip
    began_s = time.monotonic()
    log = folder / "log.txt"
    with log.open("wb") as file:
        try:
            code = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, timeout=seconds + _START_S, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    text = log.read_text(encoding="utf-8", errors="replace")
    findings = {kind: sorted(found.glob(prefix + "*")) for kind, prefix in _KINDS.items()}
    progress, executed = _PROGRESS.findall(text), _EXECUTED.findall(text) or _LAST.findall(text)
    broken = (code != 0 and not any(findings.values())) or not executed
    return Report(
        target=target.name,
        seconds=time.monotonic() - began_s,
        executions=int(executed[-1]) if executed else 0,
        edges=int(progress[-1][0]) if progress else 0,
        features=int(progress[-1][1]) if progress else 0,
        inputs_kept=sum(1 for _ in kept.iterdir()),
        findings=findings,
        problem=f"exit code {code}, see {log}" if broken else "",
    )


def _own_peak_mib() -> int:
    """A child begins with its parent's peak for its own (getrusage, after vfork), and is judged by that."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


def _escaped(token: bytes) -> str:
    """As libFuzzer's dictionaries have it."""
    return "".join(f"\\x{byte:02x}" for byte in token)
