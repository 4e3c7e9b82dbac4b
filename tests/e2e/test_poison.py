"""Requests that end real processes, two of the base station and two of a UE: the others are answered."""

import json

import pytest

from shared.journal import read_journal
from tests.e2e.broken.poisonable_ue import POISON
from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture

pytestmark = pytest.mark.timeout(240)
REQUESTS = 16
RUN = f"""
name: poisoned
seed: 3
users: 2
workload: {{source: requests_file, root: requests.jsonl, requests: {REQUESTS}, tasks: [vqa]}}
"""


def test_a_poison_for_the_encoder_and_one_for_a_decoder(real: Workplace) -> None:
    picture(real.folder / "red.png", "red")
    line = {"text": "what color is the cube?", "image": "red.png", "expected": "red"}
    lines = [{**line, "user": n % 2} for n in range(REQUESTS)]
    lines[10]["text"] = "how much poison is there?"
    real.write("requests.jsonl", "\n".join(json.dumps(line) for line in lines) + "\n")
    real.write("run.yaml", RUN)
    real.environment["M4SC_ROLE_MODULES"] = json.dumps(
        {"bs": "tests.e2e.broken.poisonable_bs", "ue": "tests.e2e.broken.poisonable_ue"}
    )
    done = real.run("run", "run.yaml", "--out", "out", "--json", timeout_s=200.0)
    summary = json.loads(done.stdout)
    counts = summary["requests"]
    assert (counts["attempted"], counts["answered"], counts["failed"]) == (REQUESTS, REQUESTS - 2, 2), summary
    assert (counts["lost"], counts["duplicated"], counts["misdelivered"]) == (0, 0, 0)
    events = read_journal(real.folder / "out" / "journal.jsonl").events
    failed = {e["request_id"]: e["reason"] for e in events if e["event"] == "fail"}
    assert failed == {POISON: "poison", "r000010": "poison"}
    crashed = [
        (e["peer"], e["exit_code"]) for e in events if e.get("what") == "crashed" and e["role"] == "agent"
    ]
    assert sorted(crashed) == [("bs", -11), ("bs", -11), ("ue-1", -11), ("ue-1", -11)]
    assert summary["verdict"] == "unknown", "of 16 requests 2 are more than a hundredth"
    assert real.processes() == []
