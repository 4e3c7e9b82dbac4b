"""A process that has imported what a role needs, has computed nothing, and forks roles on request.

    python -m launch.forkserver FD PARENT_PID MODULE...

FD is a stream socket to the agent; both ways go JSON lines:

    <- {"op": "begin", "run_id": "demo-3f2a1c", "modules": ["basestation.process"], "log": "logs/..."}
    <- {"op": "fork", "name": "ue-3", "incarnation": 0, "module": "userequipment.process", "spec": {...}}
    <- {"op": "signal", "name": "ue-3", "incarnation": 0, "number": 9}
    <- {"op": "limit_files", "name": "ue-3", "incarnation": 0, "max_bytes": 70000}   (null: no limit)
    -> {"event": "unloadable", "module": "basestation.process", "detail": "No module named ..."}
    -> {"event": "forked", "name": "ue-3", "incarnation": 0, "pid": 4711}
    -> {"event": "exited", "name": "ue-3", "incarnation": 0, "pid": 4711, "code": -9}

Or FD listens for agents: each that connects gets a fork of this process to itself. So it can import before
there is an agent (`launch.forkserver_start`), and serve the runs of one command in turn (`launch.standby`).

Imported but never computed, because a fork after a computation copies locked thread pools and hangs. Not
`multiprocessing`'s forkserver: that one has every child import the main module again, which under Ray is
Ray's worker. What serves an agent ends when the agent does (its socket closes), and the roles end with it.
"""

import contextlib
import importlib
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from launch.guardian import die_with_parent, mark_as_of
from launch.imports import imported_for_good
from launch.role_spec import spec_from_map
from shared.spec import RoleSpec

Process = tuple[str, int]
"""Role and incarnation: two of one role may live."""
RoleMain = Callable[[RoleSpec], int]
_MAX_REQUEST_BYTES = 2**20


class ForkServer:
    """The loop: requests in, children out, their ends reported. One thread, always."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._buffer = b""
        self._children: dict[Process, int] = {}
        self._prepared: set[str] = set()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)

    def run(self) -> None:
        """Until the agent's end of the socket closes."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._wake_reader:
                        with contextlib.suppress(BlockingIOError):
                            self._wake_reader.recv(4_096)
                        self._report_ends()
                    elif not self._read_requests():
                        return

    def report(self, event: str, **fields: Any) -> None:
        self._channel.sendall(json.dumps({"event": event, **fields}).encode() + b"\n")

    def _read_requests(self) -> bool:
        data = self._channel.recv(65_536)
        if not data or len(self._buffer) > _MAX_REQUEST_BYTES:
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._serve(json.loads(line))
        return True

    def _serve(self, request: dict[str, Any]) -> None:
        if request["op"] == "begin":
            self._begin(request["run_id"], request["modules"], Path(request["log"]))
            return
        process = request["name"], request["incarnation"]
        if request["op"] == "fork":
            self._fork(process, request["module"], request["spec"])
        elif process not in self._children:
            return
        elif request["op"] == "signal":  # only this process reaps them: the pid is certainly still theirs
            os.kill(self._children[process], request["number"])
        else:
            _limit_files(self._children[process], request["max_bytes"])

    def _begin(self, run_id: str, modules: Sequence[str], log: Path) -> None:
        mark_as_of(run_id)  # a fork's environment is that of the process it was forked from
        _write_output_to(log)
        unloadable = _import(modules)
        if unloadable:
            self.report("unloadable", **unloadable)

    def _fork(self, process: Process, module: str, spec: dict[str, Any]) -> None:
        if module not in self._prepared:
            self._prepared.add(module)
            _prepare(module, spec)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_role(parent, module, spec)
        self._children[process] = pid
        self.report("forked", name=process[0], incarnation=process[1], pid=pid)

    def _become_role(self, parent: int, module: str, spec: dict[str, Any]) -> NoReturn:
        """In the child: never returns into the server's loop."""
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            die_with_parent(parent)
            for own in (self._channel, self._wake_reader, self._wake_writer):
                own.close()
            role = spec_from_map(spec)
            _write_output_to(role.log_path)
            main: RoleMain = importlib.import_module(module).main
            code = main(role)
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
        except BaseException:  # noqa: BLE001  the last frame of a process: report whatever it was
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _report_ends(self) -> None:
        for process, pid in list(self._children.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._children[process]
                code = os.waitstatus_to_exitcode(status)
                self.report("exited", name=process[0], incarnation=process[1], pid=pid, code=code)


def _prepare(module: str, spec: dict[str, Any]) -> None:
    """A role's module may have a `prepare(spec)`: it loads once for all of the run, and computes nothing."""
    prepare = getattr(importlib.import_module(module), "prepare", None)
    if prepare is not None:
        with imported_for_good():
            prepare(spec_from_map(spec))


def _limit_files(pid: int, max_bytes: int | None) -> None:
    """Writing beyond fails with EFBIG, as on a full disk (Python ignores SIGXFSZ). The soft limit alone: it
    can be lifted again."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if max_bytes is None else max_bytes, hard))


def _write_output_to(path: Path) -> None:
    """Standard output and error of this process go to the role's log, for good."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def _import(modules: Sequence[str]) -> dict[str, str]:
    """The module that cannot be imported and why; empty when all can."""
    if all(module in sys.modules for module in modules):
        return {}
    with imported_for_good():
        for module in modules:
            try:
                importlib.import_module(module)
            except ImportError as error:
                return {"module": module, "detail": str(error)}
    return {}


def _serve_one(channel: socket.socket) -> None:
    """An agent, until it closes its end."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        ForkServer(channel).run()


def _serve_each(listening: socket.socket) -> NoReturn:
    """Whoever connects, in a process of its own. The end comes from outside."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps them
    own_pid = os.getpid()
    while True:
        channel, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            die_with_parent(own_pid)
            _serve_one(channel)
            os._exit(0)
        channel.close()


def main(arguments: list[str]) -> int:
    own = socket.socket(fileno=int(arguments[0]))
    die_with_parent(int(arguments[1]))
    # The command handles Ctrl-C; started below Ray, SIGINT may be blocked, and a mask is inherited.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _import(arguments[2:])  # what cannot be imported is said to the agent, which asks for the same again
    if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        _serve_each(own)
    _serve_one(own)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
