"""A person's own requests, for two users; images that it names are not there."""

import json
import math

from launch.workload.requests_file import read_requests
from shared.config import RunConfig
from shared.config_file import ConfigError
from tests.fuzz.oracle import as_file, check_complaint

_FIELDS = ("task", "text", "image", "user", "arrival_s", "expected", "kind", "family", "sample_id", "index")
SEEDS = (
    b'{"task": "text_classification", "text": "fine", "user": 1, "expected": "positive"}\n',
    b'{"task": "text_classification", "text": "a", "arrival_s": 2}\n\n'
    b'{"task": "text_classification", "text": "b", "arrival_s": 1.5, "sample_id": "s", "expected": 3}',
    b'{"text": "how many?", "image": "1.png"}',
)
TOKENS = (
    *(f'"{name}": '.encode() for name in _FIELDS),
    *(b"NaN", b"Infinity", b"1e999", b"9" * 400, b"null", b"true", b"[", b"{", b'"\\ud800"', b'"\\u0000"'),
)

_CONFIG = RunConfig(users=2)


def one_input(data: bytes) -> None:
    with as_file(data) as path:
        try:
            entries = read_requests(path, _CONFIG)
        except ConfigError as error:
            check_complaint(error)
            return
    json.dumps(entries, allow_nan=False).encode()
    arrivals_s = [entry["arrival_s"] for entry in entries]
    if arrivals_s != sorted(arrivals_s) or not all(0 <= t < math.inf for t in arrivals_s):
        raise AssertionError(f"arrivals at {arrivals_s}")
    if not all(entry["user"] in (0, 1) for entry in entries):
        raise AssertionError(f"users of {entries}")
