"""Every role killed and a UE paused by schedule, amid a workload: all requests come to an end, once, and
nothing is left: no process, no descriptor in those that stayed, no folder."""

import json
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from launch.resources.use import read_resources
from shared.journal import read_journal
from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture

pytestmark = pytest.mark.timeout(240)
REQUESTS = 24
RUN = f"""
name: killed
seed: 3
users: 2
resources: {{every_s: 0.2}}
process_faults:
  - {{fault: kill, role: ue-1, at_s: 1}}
  - {{fault: kill, role: bs, at_s: 3}}
  - {{fault: kill, role: ce, at_s: 5}}
  - {{fault: pause, role: ue-0, at_s: 6, for_s: 1}}
workload:
  {{source: requests_file, root: requests.jsonl, requests: {REQUESTS}, requests_per_s: 3, tasks: [vqa]}}
"""


def test_every_role_may_die_or_stand_still(real: Workplace) -> None:
    picture(real.folder / "red.png", "red")
    line = {"text": "what color is the cube?", "image": "red.png", "expected": "red"}
    lines = [json.dumps({**line, "user": n % 2}) for n in range(REQUESTS)]
    real.write("requests.jsonl", "\n".join(lines) + "\n")
    real.write("run.yaml", RUN)
    done = real.run("run", "run.yaml", "--out", "out", "--json", timeout_s=200.0)
    summary = json.loads(done.stdout)
    assert summary["verdict"] != "invalid", summary
    counts = summary["requests"]
    assert (counts["attempted"], counts["lost"], counts["duplicated"], counts["misdelivered"]) == (
        24,
        0,
        0,
        0,
    )
    assert counts["answered"] + counts["degraded"] == REQUESTS, (
        "what was open when a process was killed goes on"
    )
    events = read_journal(real.folder / "out" / "journal.jsonl").events
    faults = [e for e in events if e["event"] == "fault"]
    assert [(e["fault"], e["on"]) for e in faults if e["what"] == "begin"] == [
        ("kill.0", "ue-1"),
        ("kill.1", "bs"),
        ("kill.2", "ce"),
        ("pause.0", "ue-0"),
    ]
    ends = {e["fault"]: e for e in faults if e["what"] == "end"}
    assert {e["strikes"] for e in ends.values()} == {1}
    assert all(ends[f"kill.{n}"]["ready_after_s"] > 0 for n in range(3))
    roles = {(r["role"], r["user"]): r["incarnation"] for r in summary["roles"]}
    assert roles == {("ce", -1): 1, ("bs", -1): 1, ("ue", 0): 0, ("ue", 1): 1}
    assert real.processes() == []
    check_what_is_left(real.folder / "out", summary)


def check_what_is_left(out: Path, summary: dict[str, Any]) -> None:
    """Of processes that were sampled, and of their temporary folders; those that stayed held no more."""
    samples = read_resources(out)
    assert len({s.pid for s in samples if s.role in ("bs", "ce", "ue")}) == 7
    assert [pid for pid in {s.pid for s in samples} if psutil.pid_exists(pid)] == []
    assert [p for s in samples for p in Path(tempfile.gettempdir()).glob(f"m4sc-*-{s.pid}-*")] == []
    use = {(line["role"], line["user"]): line for line in summary["resources"]}
    assert set(use) == {("agent", -1), ("supervisor", -1), ("bs", -1), ("ce", -1), ("ue", 0), ("ue", 1)}
    # From the first role that was there to the end of the workload: three were started again in between.
    begin_s = min(s.t_s for s in samples if s.role == "ue")
    end_s = max(s.t_s for s in samples if s.role == "ue")
    for name in ("agent", "supervisor"):
        fds = [s.fds for s in samples if s.name == name and begin_s < s.t_s < end_s]
        assert fds[-1] <= fds[0] + 2, fds
    assert all(line["pss_mb_last"] > 10 for line in use.values())
