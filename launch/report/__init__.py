"""`report.html`: what a run was, did and cost, in one file that needs no network."""
