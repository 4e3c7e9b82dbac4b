"""Can the numbers of a run be believed? Judged from its journal and its ledger alone."""

from launch.verdict.check import Verdict, check

__all__ = ["Verdict", "check"]
