"""A role for tests of the launch: says it is ready, does what it is told, and fails on request.

What it shall do wrong is in the run's name, as words: 'ue-1=mute', 'ue-0=crash', 'bs=refuse', 'bs=stubborn',
'bs=endless' (a workload without end), 'bs=deaf' (to questions), 'ue-0=busy' (uses a whole core),
'ue-0=fenced' (ends when continued).
"""

import os
import signal
import sys
import time

from shared.ledger import Counters, RowKey, flatten
from shared.link import ControlPeer
from shared.routing import peer_name
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Command, Done, Ready, RoleFailed, WorkloadDone

_POLL_S = 0.005


def _faults(spec: RoleSpec) -> set[str]:
    words = (word.split("=") for word in spec.config.name.split() if "=" in word)
    return {fault for name, fault in words if name == spec.name}


def main(spec: RoleSpec) -> int:
    faults = _faults(spec) if spec.incarnation == 0 else set()
    print(f"{spec.name} starts with {len(sys.modules)} modules, torch {'torch' in sys.modules}", flush=True)
    if "crash" in faults:
        print("the last words", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    if "fenced" in faults:
        signal.signal(signal.SIGCONT, lambda number, frame: os._exit(4))
    me = peer_name(spec.role, spec.user)
    keys = None if spec.keys is None else spec.keys.as_peer("agent")
    link = ControlPeer(me, spec.incarnation, spec.control_endpoint, keys=keys)
    counters = Counters(spec.counters_path)
    common = {"role": spec.role, "user": spec.user}
    if "refuse" in faults:
        link.send("agent", RoleFailed(**common, exit_code=2, detail="weights do not fit: test"))
        link.close()
        return 2
    if "mute" not in faults:
        endpoint = "tcp://127.0.0.1:9" if spec.role == "ce" else ""
        link.send(
            "agent",
            Ready(**common, incarnation=spec.incarnation, pid=os.getpid(), endpoint=endpoint, fingerprint=""),
        )
    if spec.role == "bs":  # offered here, never delivered anywhere
        wrong = 7 if "uneven" in faults else 0
        counters.add(RowKey("bs-ce", "bs", "", "down", "session", "first", "offered"), wire_bytes=wrong)
    while True:
        received = link.receive_nowait()
        if received is None:
            time.sleep(0.0 if "busy" in faults else _POLL_S)
            continue
        message = received[1]
        if isinstance(message, Ask):
            if "deaf" in faults:
                continue
            link.send(
                "agent",
                AskResult(
                    ask_id=message.ask_id,
                    user=message.user,
                    state="answered",
                    reason="",
                    text=f"you asked: {message.text}",
                    latency_ms=1.0,
                ),
            )
        elif isinstance(message, Command):
            if message.verb == "start" and "endless" in faults:
                continue
            if message.verb == "start":
                link.send("agent", WorkloadDone(attempted=3))
                continue
            if "stubborn" in faults:
                continue
            values = flatten(counters.rows()) if message.verb == "sample" else {}
            link.send("agent", Done(**common, verb=message.verb, values=values))
            if message.verb == "stop":
                link.close()
                counters.close()
                return 0
