"""Short-lived folders outside the run folder, for sockets: their paths may have 107 characters at most."""

import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "m4sc-"


def make_temp_dir(kind: str) -> Path:
    """A private folder with a short path, to be removed by whoever made it.

    What owners that were killed left behind is removed on the way.
    """
    sweep_temp_dirs()
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{kind}-{os.getpid()}-"))


def sweep_temp_dirs() -> None:
    """Remove this user's folders whose owners have ended: the names hold their owners' pids."""
    for stale in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*-*"):
        pid = stale.name.split("-")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and _is_mine(stale):
            shutil.rmtree(stale, ignore_errors=True)


def _is_mine(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid()
    except OSError:  # its owner was faster
        return False
