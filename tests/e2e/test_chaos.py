"""A scenario through the real processes: drawn faults, a heal, a verdict, and nothing run twice."""

import json

import pytest
import yaml

from shared.journal import read_journal
from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture

pytestmark = pytest.mark.timeout(240)
REQUESTS, PER_S = 50, 5
RUN = f"""
users: 2
workload: {{source: requests_file, root: requests.jsonl, requests: {REQUESTS}, requests_per_s: {PER_S}}}
"""
SCENARIO = """
faults:
  - {at_s: 0.5, fault: kill, on: {role: ue-1}}
nemesis:
  mix: {loss: 1, duplicate: 1, partition: 1, delay: 1}
  every_s: 1
  for_s: [0.8, 1.2]
heal_s: 5
drain_s: 3
"""


def test_a_drawn_schedule_is_survived_and_kept_in_the_folder(real: Workplace) -> None:
    picture(real.folder / "red.png", "red")
    line = {"text": "what color is the cube?", "image": "red.png", "expected": "red"}
    lines = [json.dumps({**line, "user": n % 2}) for n in range(REQUESTS)]
    real.write("requests.jsonl", "\n".join(lines) + "\n")
    real.write("run.yaml", RUN)
    real.write("faults.yaml", SCENARIO)
    orders = (
        "chaos",
        "sweep",
        "run.yaml",
        "faults.yaml",
        "--seeds",
        "1",
        "--first-seed",
        "4",
        "--out",
        "out",
    )
    done = real.run(*orders, "--json", timeout_s=200.0)
    assert done.returncode in (0, 3), done.stderr  # a fault may have harmed nothing
    (row,) = json.loads(done.stdout)
    assert (row["seed"], row["attempted"]) == (4, REQUESTS)
    assert row["lost"] == row["duplicated"] == row["misdelivered"] == 0
    out = real.folder / "out" / "seed-0004"
    config = yaml.safe_load((out / "config.yaml").read_text(encoding="utf-8"))
    assert config["chaos"] == {"scenario": "faults", "heal_s": 5.0, "drain_s": 3.0}
    assert len(config["channel"]["faults"]) >= 3
    events = [e for e in read_journal(out / "journal.jsonl").events if e["event"] == "fault"]
    assert sum(e["what"] == "heal" for e in events) == 1
    begun = [e["fault"] for e in events if e["what"] == "begin"]
    assert len(begun) == len(set(begun)) == len(config["channel"]["faults"]) + 1
    assert real.processes() == []
    again = real.run(*orders, "--json")
    assert json.loads(again.stdout) == [row]  # nothing is run twice
