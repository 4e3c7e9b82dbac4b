"""Journals, and the verdict on what is in them."""

import json
import math

from launch.verdict.check import EXIT_CODES, check
from shared.journal import read_journal
from tests.fuzz.oracle import as_file

_WHO = {"t": 1.0, "wall": 2.0, "host": "h", "role": "bs", "user": 0, "pid": 1}
_TOLD = (
    {"event": "invoke", "request_id": "r1"}, {"event": "tokens", "request_id": "r1", "digest": "d"},
    {"event": "ue_tokens", "role": "ue", "request_id": "r1", "digest": "d"},
    {"event": "ue_answer", "role": "ue", "request_id": "r1", "text": "two", "later": [["a", None]]},
    {"event": "ok", "request_id": "r1", "text": "two", "later": [["a", None]], "digest": "d"},
    {"event": "fault", "what": "begin", "fault": "loss"},
    {"event": "fault", "what": "end", "fault": "loss", "strikes": 0},
    {"event": "refused", "request_id": "r2", "reason": "bad_input: no"},
    {"event": "late", "request_id": "r1"},
    {"event": "misdelivered", "request_id": "r1", "meant_for": 1}, {"event": "info", "request_id": "r1"},
    {"event": "kernel", "link": "ce", "bytes_sent": 9, "bytes_retrans": 2, "ledger_sent": 6},
    {"event": "process", "what": "drained"}, {"event": "process", "what": "died", "peer": "ue-0"},
)  # fmt: skip
_LINES = [json.dumps(_WHO | event, separators=(",", ":")).encode() for event in _TOLD]
SEEDS = (b"\n".join(_LINES), b'{"t":2.0,"wall":3.0,"ho' + b"\n".join(_LINES[5:]), *_LINES)
TOKENS = (
    *(f'"{name}":'.encode() for name in sorted({key for event in _TOLD for key in event} | _WHO.keys())),
    b'{"t":', b"NaN", b"1e999", b"9" * 400, b"null", b"true", b"[", b"{}", b'"\\ud800"', b"\n",
)  # fmt: skip


def one_input(data: bytes) -> None:
    with as_file(data) as path:
        contents = read_journal(path)
    if len(contents.events) > data.count(b"\n") + 1:
        raise AssertionError(f"{len(contents.events)} events in {data.count(10)} lines")
    if not all(math.isfinite(event["t"]) for event in contents.events):
        raise AssertionError("an event without a time")
    verdict = check(contents.events, [], torn_lines=len(contents.torn))
    if verdict.state not in EXIT_CODES or (contents.torn and verdict.state == "valid"):
        raise AssertionError(f"verdict {verdict}")
    json.dumps(verdict.findings).encode()
