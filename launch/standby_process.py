"""A private Ray and forkservers, kept for the runs of one command.

    python -m launch.standby_process FD '{"warm": ["torch", ...], "light": [...]}'

FD is a stream socket to the command: a JSON line says where both are to be found, or what is wrong. All of it
ends when the command closes its end, by whatever death, or when a forkserver has ended: then the command
starts another.

Ray and forkservers are started on one thread, which lives until the end (the kernel ends them with it); the
main thread only waits, so that it can end all whatever that thread is stuck in.
"""

import json
import os
import shutil
import signal
import socket
import sys
import threading
from typing import Any

from launch.cluster import FOR_AGENTS, private_ray
from launch.descriptors import readable
from launch.forkserver_start import EarlyForkservers
from launch.guardian import RUN_ID_VARIABLE, kill_run
from launch.orders import LineSocket
from launch.remote_agent import first_line
from launch.standby import TOKEN_VARIABLE
from launch.temp_dirs import make_temp_dir


class Keeping:
    """What is started, and how it ends."""

    def __init__(self, command: LineSocket, modules: dict[str, list[str]]) -> None:
        self._command = command
        self._modules = modules
        self._folders = [make_temp_dir("logs")]
        self._forkservers = EarlyForkservers(self._folders[0])

    def run(self) -> None:
        """Until the command closes its end."""
        threading.Thread(target=self._start, name="m4sc-standby", daemon=True).start()
        readable([self._command.fileno()])
        kill_run(os.environ[RUN_ID_VARIABLE])
        self._forkservers.close()
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self) -> None:
        try:
            self._command.put(self._started())
            readable([os.pidfd_open(pid) for pid in self._forkservers.pids])
        except Exception as error:  # noqa: BLE001  Ray says a start that took too long by a bare Exception
            self._command.put({"error": first_line(error)})
        self._command.shut()  # and so wakes the main thread, and the command
        threading.Event().wait()

    def _started(self) -> dict[str, Any]:
        """Where all of it is to be found."""
        early = self._forkservers.start(self._modules)  # before the token is in the environment
        self._folders.append(private_ray(1, **FOR_AGENTS))
        import ray

        address = ray.get_runtime_context().gcs_address
        return {"address": address, "token": os.environ[TOKEN_VARIABLE], "early": early}


def main(fd: str, modules: str) -> int:
    """Until all has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command handles it
    Keeping(LineSocket(socket.socket(fileno=int(fd))), json.loads(modules)).run()
    return 0


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    os._exit(code)  # not through Ray's exit handlers: what there was of it has ended
