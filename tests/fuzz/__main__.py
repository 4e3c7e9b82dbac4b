"""Fuzz the doors: `python -m tests.fuzz [--seconds 60] [TARGET ...]`. Exit code 1 on a finding."""

import argparse
import importlib.util
import sys
from pathlib import Path

from tests.fuzz import catalogue
from tests.fuzz.run import Report, fuzz
from tests.fuzz.shrink import shrink


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (default 1)")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="kept inputs, logs and findings")
    asked = parser.parse_args()
    known = catalogue.names()
    if unknown := sorted(set(asked.targets) - set(known)):
        parser.error(f"TARGET: {unknown[0]} is none of {', '.join(known)}")
    if asked.seconds < 1 or asked.seed < 1:
        parser.error("--seconds and --seed: expected at least 1")
    if importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install -c constraints.txt -e '.[fuzz]'")
    clean = True
    for name in asked.targets or known:
        target = catalogue.load(name)
        report = fuzz(target, asked.seconds, asked.out, asked.seed)
        print(report.line(), flush=True)
        _tell(report, target)
        clean = clean and report.clean
    return 0 if clean else 1


def _tell(report: Report, target: catalogue.Target) -> None:
    """The findings, the crashes among them as small as they can be made."""
    if report.problem:
        print(f"  failed: {report.problem}", flush=True)
    for kind, paths in report.findings.items():
        for path in paths:
            if kind == "crash":
                path.write_bytes(shrink(target.one_input, path.read_bytes()))
            print(f"  {kind}: {path} {path.read_bytes()[:200]!r}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
