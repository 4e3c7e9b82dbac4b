"""Negative controls in processes: every defect of a broken build is found out, the whole build is valid."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture

pytestmark = pytest.mark.timeout(240)
REQUESTS = 12
RUN = f"""
name: controls
seed: 3
users: 2
max_group: 2
cache: {{images: 1}}
max_new_tokens: 8
retransmission: {{max_attempts: 8}}
channel: {{snr_db: 15, faults: [{{fault: loss, probability: 0.2}}]}}
workload: {{source: requests_file, root: requests.jsonl, requests: {REQUESTS}, tasks: [vqa]}}
"""
BUILDS: dict[str, dict[str, str]] = {
    "whole": {},
    "broken": dict.fromkeys(("bs", "ce", "ue"), "tests.broken.all_of_it"),
}
FINDINGS = (
    "lost request: r000003 of user 1 has no terminal state",
    "the UE's answer is not one that came again",
    "token mismatch: ",
    " bytes, the ledger says ",
)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, Workplace]]:
    """A workplace a build; every user asks twice about each of three pictures."""
    found = {}
    for name, modules in BUILDS.items():
        (tmp_path / name).mkdir()
        place = found[name] = Workplace(tmp_path / name)
        place.environment["M4SC_ROLE_MODULES"] = json.dumps(modules)
        files = [picture(place.folder / f"{colour}.png", colour).name for colour in ("red", "lime", "blue")]
        lines = [
            {"text": f"what color is cube {n}?", "image": files[n // 4], "user": n % 2}
            for n in range(REQUESTS)
        ]
        place.write("requests.jsonl", "\n".join(json.dumps(line) for line in lines) + "\n")
        place.write("run.yaml", RUN)
    yield found
    for place in found.values():
        place.kill_everything()


def test_every_defect_is_named_and_the_whole_build_is_valid(places: dict[str, Workplace]) -> None:
    commands = {name: p.start("run", "run.yaml", "--out", "out", "--json") for name, p in places.items()}
    summaries: dict[str, dict[str, Any]] = {}
    for name, command in commands.items():
        out, _ = command.communicate(timeout=150.0)
        summaries[name] = json.loads(out)
        assert places[name].processes() == []
        assert summaries[name]["requests"]["attempted"] == REQUESTS
    whole, broken = summaries["whole"], summaries["broken"]
    assert (whole["verdict"], commands["whole"].returncode) == ("valid", 0), whole["findings"]
    assert (broken["verdict"], commands["broken"].returncode) == ("invalid", 1), broken["findings"]
    found = "\n".join(broken["findings"])
    assert [words for words in FINDINGS if words not in found] == [], found
