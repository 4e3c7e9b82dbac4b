"""How a role process finds its bundle and device, and says so when it cannot start.

Imports torch: for base station and UEs only, the emulator has no model.
"""

import sys
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch

from shared.process import open_control_link
from shared.semantic.bundle import Bundle, BundleError, Role
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.wire.messages import RoleFailed

EXIT_BAD_INPUT = 2
_LINGER_MS = 2_000


def load_bundle(name: str, roles: Role = "all") -> Bundle:
    """A shipped bundle by its name, any other by its folder; read and checked once, unless its files change.

    Raises `BundleError`.
    """
    folder = bundle_folder(name)
    return replace(_loaded(folder, _stamps(folder)), roles=roles)


def prepare_bundle(spec: RoleSpec) -> None:
    """Before roles are forked: what each of them would load is loaded, nothing is computed.

    A bundle that cannot be is theirs to complain of.
    """
    with suppress(BundleError, OSError):
        load_bundle(spec.config.bundle)


@lru_cache(maxsize=2)
def _loaded(folder: Path, stamps: tuple[tuple[str, int, int, int], ...]) -> Bundle:
    return Bundle.load(folder)


def _stamps(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What tells that a file is as it was: name, inode, size, time."""
    if not folder.is_dir():
        return ()
    files = [(path.name, path.stat()) for path in sorted(folder.iterdir())]
    return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in files)


def pick_device(choice: str) -> str:
    """`auto` is CUDA where there is one."""
    if choice == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return choice


def refuse_to_start(spec: RoleSpec, error: Exception) -> int:
    """Tell the agent in one line what is wrong with the input; the exit code."""
    line = " ".join(str(error).split())[:2_000]
    print(line, file=sys.stderr)
    control = open_control_link(spec, None)
    control.send("agent", RoleFailed(role=spec.role, user=spec.user, exit_code=EXIT_BAD_INPUT, detail=line))
    control.close(_LINGER_MS)
    return EXIT_BAD_INPUT
