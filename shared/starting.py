"""How a role process finds its bundle and device, and says so when it cannot start.

Imports torch: for base station and UEs only, the emulator has no model.
"""

import sys

import torch

from shared.process import open_control_link
from shared.semantic.bundle import Bundle, Role
from shared.shipped import bundle_folder
from shared.spec import RoleSpec
from shared.wire.messages import RoleFailed

EXIT_BAD_INPUT = 2
_LINGER_MS = 2_000


def load_bundle(name: str, roles: Role = "all") -> Bundle:
    """A shipped bundle by its name, any other by its folder. Raises `BundleError`."""
    return Bundle.load(bundle_folder(name), roles)


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
