"""Faults: what goes wrong on the air beyond physics, one fault a file.

A new fault is one file beside `noop.py` (the tutorial), one line in `registry.py`, and its name in
`shared.config.FaultConfig.fault`.
"""
