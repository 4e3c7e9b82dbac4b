"""Targets with a fault in them, which a run must find."""
