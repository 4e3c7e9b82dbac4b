"""`report.html`: what a run was, did and cost, in one file that needs no network."""

from launch.report.page import ReportError, write_report

__all__ = ["ReportError", "write_report"]
