"""Which runs give numbers."""

from typing import Any

import pytest

from launch.bundles.rerun import is_measured, is_valid
from launch.verdict.check import check
from launch.verdict.faults import TOO_FEW
from tests.unit.launch.made_run import MadeRun

FEW = f"{TOO_FEW}: 3 of 9 requests outside fault windows (33.3%), at least 99% are expected"


@pytest.mark.parametrize(
    ("verdict", "findings", "failures", "measured"),
    [
        ("valid", [], [], True),
        ("unknown", [FEW], [], True),
        ("unknown", [FEW], [("failed", "text lost"), ("refused", "bad_input: image")], True),
        ("unknown", [FEW], [("expired", "deadline while encoding")], False),
        ("unknown", [FEW], [("refused", "no_user")], False),
        ("unknown", [FEW, "torn journal: 1 lines cannot be read"], [], False),
        ("unknown", ["cut short: the base station did not drain"], [], False),
        ("unknown", [], [], False),
        ("invalid", [FEW], [], False),
    ],
)
def test_too_few_answers_are_a_result_and_any_other_doubt_is_none(
    verdict: str, findings: list[str], failures: list[tuple[str, str]], measured: bool
) -> None:
    ends = [{"state": state, "reason": reason, "count": 1} for state, reason in failures]
    summary: dict[str, Any] = {"verdict": verdict, "findings": findings, "failures": ends}
    assert is_measured(summary) == measured
    assert is_valid(summary) == (verdict == "valid")


def test_the_verdict_names_it_so(tmp_path: Any) -> None:
    made = MadeRun(tmp_path)
    made.attach()
    made.request(0, 0)
    made.request(1, 1, erased=1)
    made.drained()
    verdict = check(made.events, made.rows())
    assert verdict.state == "unknown", verdict.findings
    assert is_measured({"verdict": verdict.state, "findings": verdict.findings, "failures": []})
