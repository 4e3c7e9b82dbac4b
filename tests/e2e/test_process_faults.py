"""Every fault on processes by schedule, amid one workload: all requests come to an end, once."""

import json
from collections import Counter

import pytest

from shared.journal import read_journal
from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture

pytestmark = pytest.mark.timeout(240)
REQUESTS, USERS = 66, 4
RUN = f"""
name: afflicted
seed: 3
users: {USERS}
deadline_ms: 8000
process_faults:
  - {{fault: late, role: ue-3, for_s: 2}}
  - {{fault: kill, role: ue-1, at_s: 1}}
  - {{fault: kill, role: bs, at_s: 3}}
  - {{fault: kill, role: ce, at_s: 5}}
  - {{fault: pause, role: ue-0, at_s: 6, for_s: 1}}
  - {{fault: slow, role: ue-1, at_s: 6.5, for_s: 1.5, cpu_share: 0.3}}
  - {{fault: restart, role: ue-2, at_s: 8}}
  - {{fault: leave, role: ue-0, at_s: 8.5, for_s: 1.5}}
  - {{fault: restart, role: bs, at_s: 11}}
  - {{fault: replace, role: ue-1, at_s: 13, for_s: 2}}
  - {{fault: disk_full, role: all, at_s: 16.5, for_s: 1.5}}
  - {{fault: leave, role: ue-3, at_s: 18.2}}
workload:
  {{source: requests_file, root: requests.jsonl, requests: {REQUESTS}, requests_per_s: 3, tasks: [vqa]}}
"""
STARTED = {"late.0", "kill.0", "kill.1", "kill.2", "restart.0", "leave.0", "restart.1", "replace.0"}
"""Faults after which a process is started."""


def test_whatever_happens_to_processes(real: Workplace) -> None:
    picture(real.folder / "red.png", "red")
    line = {"text": "what color is the cube?", "image": "red.png", "expected": "red"}
    lines = [json.dumps({**line, "user": n % USERS}) for n in range(REQUESTS)]
    real.write("requests.jsonl", "\n".join(lines) + "\n")
    real.write("run.yaml", RUN)
    done = real.run("run", "run.yaml", "--out", "out", "--json", timeout_s=200.0)
    summary = json.loads(done.stdout)
    contents = read_journal(real.folder / "out" / "journal.jsonl")
    print(json.dumps([summary["faults"], summary["requests"], summary["failures"]], indent=1))
    assert (summary["verdict"], summary["findings"]) == ("valid", [])
    counts = summary["requests"]
    assert counts["attempted"] == REQUESTS
    assert (counts["lost"], counts["duplicated"], counts["misdelivered"]) == (0, 0, 0)
    ended = counts["answered"] + counts["degraded"] + counts["failed"] + counts["expired"] + counts["refused"]
    assert ended == REQUESTS
    assert counts["answered"] >= REQUESTS * 0.6
    assert contents.torn == []

    faults = {line["fault"]: line for line in summary["faults"]}
    assert len(faults) == 12
    strikes = {name: line["strikes"] for name, line in faults.items()}
    assert 1 <= strikes.pop("disk_full.0") <= 2 + USERS
    assert set(strikes.values()) == {1}
    assert {name for name, line in faults.items() if line["ready_after_s"] is not None} == STARTED
    stalled = [e["role"] for e in contents.events if e["event"] == "process" and e["what"] == "stalled"]
    assert "bs" in stalled

    roles = Counter((r["role"], r["user"], r["incarnation"]) for r in summary["roles"])
    assert roles == Counter(
        [("ce", -1, 1), ("bs", -1, 2), ("ue", 0, 1), ("ue", 1, 1), ("ue", 1, 2), ("ue", 2, 1), ("ue", 3, 0)]
    )
    codes = {(r["user"], r["incarnation"]): r["exit_code"] for r in summary["roles"] if r["role"] == "ue"}
    assert codes == {(0, 1): 0, (1, 1): 4, (1, 2): 0, (2, 1): 0, (3, 0): 0}
    assert real.processes() == []
