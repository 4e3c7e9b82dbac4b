"""The process of a role: links, counters and journal opened, the role made and run, all closed again.

A process main is one line: `return run_process(spec, make_role)`.
"""

import asyncio
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from shared.journal import Journal, JournalError
from shared.ledger import Counters, LedgerError
from shared.link import ControlPeer, DataHub, DataPeer
from shared.link_types import Link
from shared.routing import peer_name
from shared.shell import EXIT_CRASHED, Role, Shell
from shared.spec import RoleSpec
from shared.wire.messages import Ready, RoleFailed

__all__ = ["Role", "open_control_link", "open_data_link", "redirect_output", "run_process", "run_role"]

_LINGER_MS = 500


def run_process(spec: RoleSpec, make_role: Callable[[RoleSpec], Role]) -> int:
    """Open everything, make the role (this may take long), run it; the exit code.

    The emulator's Ready, with its endpoint, is sent from here; the others send theirs when welcomed. Whatever
    goes wrong ends as a traceback on stderr, `RoleFailed` on the control link, and exit code 1.
    """
    try:
        counters = Counters(spec.counters_path)
    except LedgerError as error:
        print(error, file=sys.stderr)
        return EXIT_CRASHED
    with counters:
        control = open_control_link(spec, counters)
        try:
            role = make_role(spec)
            data = open_data_link(spec, counters)
        except Exception as error:  # noqa: BLE001 - said to the agent, whatever it was
            traceback.print_exc()
            _say_failed(spec, control, error)
            control.close(_LINGER_MS)
            return EXIT_CRASHED
        if isinstance(data, DataHub):
            control.send("agent", _ready(spec, data.endpoint))
        return run_role(role, spec, data, control, counters)


def run_role(
    role: Role, spec: RoleSpec, data_link: Link, control_link: ControlPeer, counters: Counters | None = None
) -> int:
    """Run a role on open links until its end, then close them; the exit code."""
    try:
        journal = Journal(spec.journal_path, spec.role, spec.user, spec.host, os.getpid())
    except JournalError as error:
        print(error, file=sys.stderr)
        _say_failed(spec, control_link, error)
        data_link.close(0)
        control_link.close(_LINGER_MS)
        return EXIT_CRASHED
    try:
        return asyncio.run(Shell(role, spec, data_link, control_link, counters, journal).run())
    finally:
        data_link.close(_LINGER_MS)
        control_link.close(_LINGER_MS)
        journal.close()


def open_data_link(spec: RoleSpec, counters: Counters | None) -> DataHub | DataPeer:
    """The emulator's hub, where `data_endpoint` says (port 0: a free one), else on its agent's address; or a
    peer's link to it. Raises `OSError`.
    """
    limits, keys = spec.config.limits, spec.keys
    if spec.role == "ce":
        where = spec.data_endpoint or spec.control_endpoint
        host = where.removeprefix("tcp://").rpartition(":")[0] or "127.0.0.1"
        return DataHub(
            counters,
            host,
            credit_bytes=limits.credit_bytes,
            queue_bytes=limits.queue_bytes_per_user,
            port=int(spec.data_endpoint.rpartition(":")[2] or 0),  # a restarted emulator's peers know it
            keys=None if keys is None else keys.as_hub(),
        )
    queue_bytes = limits.queue_bytes_per_user * (spec.config.users if spec.role == "bs" else 1)
    name = peer_name(spec.role, spec.user)
    peer_keys = None if keys is None else keys.as_peer("ce")
    return DataPeer(name, spec.incarnation, spec.data_endpoint, counters, queue_bytes, peer_keys)


def open_control_link(spec: RoleSpec, counters: Counters | None) -> ControlPeer:
    """The role's link to its agent. Raises `OSError` for a malformed endpoint."""
    name = peer_name(spec.role, spec.user)
    keys = None if spec.keys is None else spec.keys.as_peer("agent")
    return ControlPeer(name, spec.incarnation, spec.control_endpoint, counters, keys=keys)


def redirect_output(path: Path) -> None:
    """Standard output and error of this process go to `path` (appended), for good. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
    finally:
        os.close(log)


def _ready(spec: RoleSpec, endpoint: str) -> Ready:
    return Ready(
        role=spec.role,
        user=spec.user,
        incarnation=spec.incarnation,
        pid=os.getpid(),
        endpoint=endpoint,
        fingerprint="",
    )


def _say_failed(spec: RoleSpec, control: ControlPeer, error: Exception) -> None:
    line = " ".join(f"{type(error).__name__}: {error}".split())[:2_000]
    control.send("agent", RoleFailed(role=spec.role, user=spec.user, exit_code=EXIT_CRASHED, detail=line))
