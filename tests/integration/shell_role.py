"""A role that does as it is told, and a process around it: `python -m tests.integration.shell_role SPEC`.

SPEC is a JSON map: role, user, run_dir, control_endpoint, data_endpoint, behaviour.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from shared.actions import Action, Compute, Disconnect, Drop, Exit, Record, Send, Tell
from shared.config import RunConfig
from shared.process import run_process
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Command, Done, Feedback, Message, Progress
from tests.unit.shared.samples import hello


def spec_of(run_dir: Path, role: str, control: str, data: str = "", user: int = -1) -> RoleSpec:
    return RoleSpec(
        run_id="test",
        role=role,
        user=user,
        incarnation=0,
        config=RunConfig(users=2),
        run_dir=run_dir,
        control_endpoint=control,
        data_endpoint=data,
        host="here",
    )


class ScriptedRole:
    """What an `Ask` says, it does: compute, fail, record, exit, hang in a computation, drop."""

    def __init__(self, spec: RoleSpec) -> None:
        self._spec = spec
        self.heard: list[tuple[str, Message]] = []
        self.ticks = 0
        self.quiet = False
        self._next_s: float | None = 0.0 if spec.role == "ue" else None

    def on_message(self, message: Message, now_s: float, source: str = "ce") -> list[Action]:
        self.heard.append((source, message))
        if isinstance(message, Feedback):
            return [Disconnect(source), Drop("bs", message, "loss")]
        return []

    def on_control(self, message: Message, now_s: float) -> list[Action]:
        if isinstance(message, Command) and message.verb == "drain":
            return [Tell(Done(role=self._spec.role, user=self._spec.user, verb="drain", values={}))]
        match message.text if isinstance(message, Ask) else "":
            case "compute":
                return [Compute("sum", lambda: 1 + 1), Compute("bad", lambda: [][0])]
            case "fail":
                raise ValueError("the role is broken")
            case "record":
                return [Record("info", {"request_id": "r1"})]
            case "exit":
                return [Exit(9, "enough"), Record("info", {"request_id": "never"})]
            case "hang":
                return [Compute("hang", lambda: time.sleep(60))]
            case "tick":
                self._next_s = now_s + 0.01
        return []

    def on_tick(self, now_s: float) -> list[Action]:
        self.ticks += 1
        self._next_s = None
        if self._spec.role == "ue" and self.ticks == 1:
            return [Send("ce", hello(user=self._spec.user))]
        return [Tell(Progress(role=self._spec.role, user=self._spec.user, values={"ticks": self.ticks}))]

    def on_computed(self, key: str, result: Any, now_s: float) -> list[Action]:
        return [
            Tell(
                AskResult(ask_id=key, user=0, state="answered", reason="", text=repr(result), latency_ms=0.0)
            )
        ]

    def next_wakeup_s(self, now_s: float) -> float | None:
        return self._next_s

    def quiesce(self) -> None:
        self.quiet = True


def main(argument: str) -> int:
    given = json.loads(argument)
    spec = spec_of(Path(given["run_dir"]), given["role"], given["control"], given["data"], given["user"])

    def make_role(spec: RoleSpec) -> ScriptedRole:
        if given.get("broken"):
            raise ValueError("no such bundle")
        return ScriptedRole(spec)

    return run_process(spec, make_role)


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stdout.flush()
    os._exit(code)
