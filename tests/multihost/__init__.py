"""Several hosts on one machine: `python -m tests.multihost`, as root; see `rehearsal`."""
