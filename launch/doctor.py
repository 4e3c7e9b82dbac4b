"""What a run needs of this machine, looked at piece by piece. Nothing is changed."""

import importlib.metadata
import importlib.util
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MIN_PYTHON = (3, 11)
MIN_SHARED_MEMORY_BYTES = 128 * 2**20
MIN_DESCRIPTORS = 1_024
MIN_DISK_BYTES = 2 * 2**30
MIN_MEMORY_BYTES = 4 * 2**30
PACKAGES = (
    "torch", "transformers", "safetensors", "tokenizers", "pyzmq", "msgpack", "ray", "numpy", "pydantic",
    "PyYAML", "typer", "rich", "pillow", "psutil", "pyarrow", "matplotlib",
)  # fmt: skip
_BUNDLE_S = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table; `advice` is empty when all is well."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def examine(with_ray: bool = False) -> list[Finding]:
    """All checks, in the order in which a run would stumble."""
    checks: list[Callable[[], Finding]] = [
        check_python, check_memory, check_shared_memory, check_descriptors, check_disk, check_loopback,
    ]  # fmt: skip
    findings = [check() for check in checks]
    findings += [check_package(name) for name in PACKAGES]
    findings += [check_torch(), check_bundle()]
    if with_ray:
        findings.append(check_ray())
    return findings


def check_python() -> Finding:
    """Version and platform; process handling needs Linux."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if sys.version_info < MIN_PYTHON:
        return Finding("python", False, found, "Python 3.11 or newer is needed")
    return Finding(
        "python", sys.platform == "linux", found, "" if sys.platform == "linux" else "Linux is needed"
    )


def check_memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    ok = total >= MIN_MEMORY_BYTES
    return Finding("memory", ok, _gib(total), "" if ok else f"at least {_gib(MIN_MEMORY_BYTES)} are needed")


def check_shared_memory() -> Finding:
    """Ray keeps its object store in /dev/shm."""
    try:
        free = shutil.disk_usage("/dev/shm").free
    except OSError as error:
        return Finding("shared memory", False, f"/dev/shm: {error.strerror}", "mount a tmpfs at /dev/shm")
    ok = free >= MIN_SHARED_MEMORY_BYTES
    return Finding(
        "shared memory", ok, f"{_gib(free)} free in /dev/shm", "" if ok else "enlarge /dev/shm to 128 MiB"
    )


def check_descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ok = soft >= MIN_DESCRIPTORS
    return Finding(
        "open files", ok, f"limit {soft} (hard {hard})", "" if ok else f"ulimit -n {MIN_DESCRIPTORS}"
    )


def check_disk() -> Finding:
    """Where run folders go, and where Ray keeps its session."""
    low = [p for p in (Path.cwd(), Path(tempfile.gettempdir())) if shutil.disk_usage(p).free < MIN_DISK_BYTES]
    found = f"{_gib(shutil.disk_usage(Path.cwd()).free)} free in {Path.cwd()}"
    return Finding("disk", not low, found, "".join(f"make room in {p} " for p in low).strip())


def check_loopback() -> Finding:
    """Every link is TCP on loopback; the port is the system's choice."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), 2.0),
        ):
            return Finding("loopback", True, "127.0.0.1 binds and connects")
    except OSError as error:
        return Finding("loopback", False, f"127.0.0.1: {error.strerror}", "bring the interface lo up")


def check_package(name: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "missing", f"pip install {name}, or run `make setup`")


def check_torch() -> Finding:
    """Which build, and whether it sees a GPU; asked in a process of its own, so that nothing lingers here."""
    code = (
        "import torch; device = 'cuda' if torch.cuda.is_available() else 'cpu';"
        "print(torch.__version__, device, torch.get_num_threads())"
    )
    return _ask_python("torch build", code, lambda out: "{} ({}, {} threads)".format(*out.split()))


def check_bundle() -> Finding:
    """The shipped weights load, and say who they are."""
    code = (
        "from shared.starting import load_bundle; b = load_bundle('micro', 'receiver');"
        "print(getattr(b, 'fingerprint', '')[:16])"
    )
    return _ask_python("bundle micro", code, lambda out: f"loads, fingerprint {out}")


def check_ray() -> Finding:
    """Start a private Ray and stop it again."""
    from launch.cluster import Cluster
    from launch.errors import LaunchError
    from shared.config import ClusterConfig

    cluster = Cluster(ClusterConfig())
    began_s = time.monotonic()
    try:
        cluster.start()
        started_s = time.monotonic()
    except LaunchError as error:
        return Finding("ray start", False, str(error), "see the line to the left")
    finally:
        if importlib.util.find_spec("ray") is not None:
            cluster.stop()
    found = f"started in {started_s - began_s:.1f} s, stopped in {time.monotonic() - started_s:.1f} s"
    return Finding("ray start", True, found)


def _ask_python(check: str, code: str, found: Callable[[str], str]) -> Finding:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=_BUNDLE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Finding(check, False, f"no answer within {_BUNDLE_S:g} s", "")
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return Finding(
            check, False, (lines[-1] if lines else "failed")[:160], "run `make setup`, or fetch the weights"
        )
    return Finding(check, True, found(done.stdout.strip()))


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
