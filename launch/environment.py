"""On what a run was made: machine and versions, so that numbers can be compared."""

import importlib.metadata
import os
import platform
from typing import Any

import psutil

PACKAGES = ("m4sc", "torch", "transformers", "pyzmq", "msgpack", "ray", "numpy", "pydantic", "pyarrow")


def environment() -> dict[str, Any]:
    """Machine, operating system, Python, and the packages that matter; nothing heavy is imported."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
