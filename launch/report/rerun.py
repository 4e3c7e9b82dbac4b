"""How a run is made again."""

import shlex
from collections.abc import Mapping
from html import escape
from typing import Any

from launch.report.markup import section


def rerun(summary: Mapping[str, Any]) -> str:
    """The command, and what has to be the same for the same noise, faults and answers."""
    again = shlex.join(["m4sc", "run", "config.yaml", "--out", f"again-{summary['name']}"])
    packages = summary["environment"]["packages"]
    same = [
        ("seed", str(summary["seed"])),
        ("bundle", f"{summary['bundle']}, fingerprint {summary['fingerprint'] or 'not known'}"),
        ("m4sc", str(packages.get("m4sc") or "not known")),
        ("torch", str(packages.get("torch") or "not known")),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in same)
    note = (
        "<p>In this run's folder. The configuration is complete: drawn faults are in it too. The same seed "
        "gives the same questions, noise and faults; groups form by the workload's arrival times. Other "
        "weights have another fingerprint; another processor or version may round otherwise.</p>"
    )
    return section("How to run it again", f"<pre>{escape(again)}</pre>{note}<dl>{rows}</dl>")
