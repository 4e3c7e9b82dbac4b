"""Hosts for tests, made of Linux namespaces, and a switch between them.

A host has its own network, processes, host name and folders; its first process is `init`, and whatever runs
on it ends with that one. The switch is one more network namespace with a bridge for each of two networks:
management (10.77.1.0/24) and data (10.77.2.0/24). Namespaces have no names: nothing is left of them when
their processes have ended, and the kernel ends those with the command that made them.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launch.guardian import die_with_parent, wait_gone

MANAGEMENT, DATA = "10.77.1", "10.77.2"
DATA_NETWORK: Final = f"{DATA}.0/24"
RAY_PORT: Final = 6379
_TOOL_S = 20.0
_INIT = "import os, signal, time\nsignal.signal(signal.SIGCHLD, lambda number, frame: None)\n" + (
    "print('up', flush=True)\nwhile True:\n"
    "    try:\n        os.wait()\n    except ChildProcessError:\n        signal.pause()\n"
)
"""The first process of a host: adopts and reaps."""


def why_not() -> str:
    """Why hosts cannot be made here; '' if they can."""
    if os.geteuid() != 0:
        return "it makes network namespaces, which takes root"
    missing = [tool for tool in ("ip", "unshare", "nsenter") if shutil.which(tool) is None]
    return f"not found: {', '.join(missing)} (packages iproute2 and util-linux)" if missing else ""


@dataclass
class TestHost:
    """`init_pid`: as this process sees it."""

    __test__ = False

    name: str
    number: int
    folder: Path
    holder: "subprocess.Popen[bytes]"
    init_pid: int

    @property
    def address(self) -> str:
        """On the management network."""
        return f"{MANAGEMENT}.{self.number}"

    @property
    def data_address(self) -> str:
        return f"{DATA}.{self.number}"

    def command(self, arguments: Sequence[str]) -> list[str]:
        """A command line that runs on this host."""
        return _entered(self.init_pid, "--net", "--pid", "--mount", "--uts", "--ipc") + list(arguments)

    def environment(self, token: str) -> dict[str, str]:
        """Folders of its own, and the cluster's token."""
        return {
            **os.environ,
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "M4SC_STATE_DIR": str(self.folder / "state"),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": token,
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",
        }

    def data_bytes(self) -> tuple[int, int]:
        """What its interface to the data network has received and sent, by the kernel."""
        (told,) = json.loads(_run(self.command(["ip", "-j", "-s", "link", "show", "data0"])))
        counted = told["stats64"]
        return int(counted["rx"]["bytes"]), int(counted["tx"]["bytes"])


class Lab:
    """The hosts and their switch."""

    def __init__(self, names: Sequence[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="m4sc-lab-"))
        self.hosts: dict[str, TestHost] = {}
        self._holders: list[subprocess.Popen[bytes]] = []
        try:
            self._switch = self._begin("switch", "--net")
            for bridge in ("management", "data"):
                self._on_switch("link", "add", bridge, "type", "bridge")
                self._on_switch("link", "set", bridge, "up")
            for number, name in enumerate(names, 1):
                self.hosts[name] = self._add(name, number)
        except BaseException:
            self.close()
            raise

    def cut_data(self, name: str) -> None:
        """Pull the host's cable to the data network."""
        self._on_switch("link", "set", f"d-{name}", "down")

    def heal_data(self, name: str) -> None:
        self._on_switch("link", "set", f"d-{name}", "up")

    def kill(self, name: str) -> None:
        """The host is gone at once, with all that runs on it."""
        host = self.hosts[name]
        os.kill(host.init_pid, signal.SIGKILL)
        host.holder.wait(_TOOL_S)

    def close(self) -> None:
        """Nothing of it is left: processes, namespaces, folders."""
        for holder in reversed(self._holders):
            holder.kill()  # the kernel kills its child, the first process, and with that all others
            holder.wait(_TOOL_S)
        for host in self.hosts.values():
            assert wait_gone(host.init_pid, _TOOL_S), f"{host.name} does not end"
        shutil.rmtree(self.folder)

    def _add(self, name: str, number: int) -> TestHost:
        folder = self.folder / name
        for part in ("tmp", "cache", "state"):
            (folder / part).mkdir(parents=True)
        holder = self._begin(name, "--net", "--pid", "--mount", "--uts", "--ipc", "--mount-proc")
        host = TestHost(name, number, folder, holder, _child_of(holder.pid))
        _run(host.command(["hostname", f"m4sc-{name}"]))
        for short, bridge, network in (("m", "management", MANAGEMENT), ("d", "data", DATA)):
            end = "mgmt0" if bridge == "management" else "data0"
            port = f"{short}-{name}"
            peer = ("type", "veth", "peer", "name", end, "netns", str(host.init_pid))
            self._on_switch("link", "add", port, *peer)
            self._on_switch("link", "set", port, "master", bridge, "up")
            _run(host.command(["ip", "address", "add", f"{network}.{number}/24", "dev", end]))
            _run(host.command(["ip", "link", "set", end, "up"]))
        _run(host.command(["ip", "link", "set", "lo", "up"]))
        _run(host.command(["ip", "route", "add", "default", "dev", "mgmt0"]))  # leads nowhere
        return host

    def _begin(self, name: str, *namespaces: str) -> "subprocess.Popen[bytes]":
        """A first process in namespaces of its own."""
        me = os.getpid()
        holder = subprocess.Popen(
            ["unshare", *namespaces, "--fork", "--kill-child", sys.executable, "-c", _INIT],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is the command's business
            preexec_fn=lambda: die_with_parent(me),
        )
        self._holders.append(holder)
        assert holder.stdout is not None
        assert holder.stderr is not None
        with holder.stdout, holder.stderr:
            if holder.stdout.readline() != b"up\n":
                raise RuntimeError(f"{name}: namespaces cannot be made: {holder.stderr.read().decode()}")
        return holder

    def _on_switch(self, *arguments: str) -> None:
        _run([*_entered(_child_of(self._switch.pid), "--net"), "ip", *arguments])


class RayNodes:
    """A Ray node on each host of a lab; the first host's is the head."""

    def __init__(self, lab: Lab, token: str, labels: dict[str, str]) -> None:
        first, *others = lab.hosts.values()
        self.address = f"{first.address}:{RAY_PORT}"
        self._token = token
        self._labels = labels
        self._wait(first, self._start(first, "--head", f"--port={RAY_PORT}", "--include-dashboard=false"))
        started = [(host, self._start(host, f"--address={self.address}")) for host in others]
        for host, process in started:
            self._wait(host, process)

    def _start(self, host: TestHost, *arguments: str) -> "subprocess.Popen[str]":
        """Returns at once; the command ends when the node is registered."""
        label = self._labels.get(host.name)
        line = [
            str(Path(sys.executable).parent / "ray"),
            "start",
            *arguments,
            f"--node-ip-address={host.address}",
            "--num-cpus=1",
            "--object-store-memory=80000000",
            "--disable-usage-stats",
            *([f"--temp-dir={host.folder / 'ray'}"]),
            *([f"--labels=m4sc-role={label}"] if label else []),
        ]
        log = (host.folder / "ray-start.txt").open("w")
        with log:
            return subprocess.Popen(
                host.command(line),
                env=host.environment(self._token),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )

    def _wait(self, host: TestHost, process: "subprocess.Popen[str]") -> None:
        if process.wait(120.0) != 0:
            said = (host.folder / "ray-start.txt").read_text().strip().splitlines()
            raise RuntimeError(f"no Ray node on {host.name}: {said[-1] if said else 'it says nothing'}")


@contextlib.contextmanager
def lab(names: Sequence[str]) -> Iterator[Lab]:
    """Cleaned up whatever happens."""
    made = Lab(names)
    try:
        yield made
    finally:
        made.close()


def _entered(pid: int, *namespaces: str) -> list[str]:
    return ["nsenter", f"--target={pid}", *namespaces, f"--wdns={os.getcwd()}", "--"]


def _child_of(pid: int) -> int:
    """The only child of a process; it exists."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _run(arguments: Sequence[str]) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=_TOOL_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
