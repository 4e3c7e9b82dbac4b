"""`make multihost`: build four hosts on this machine, run over them, hurt them, check, remove them.

    python -m tests.multihost [--out DIR] [--users 4] [--requests 32]

Exit code 0 when all is as it must be, 1 when not, 2 when hosts cannot be made here.
"""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from tests.multihost.lab import why_not
from tests.multihost.rehearsal import Failed, rehearse

MAX_USERS, MAX_REQUESTS = 64, 10_000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.multihost")
    parser.add_argument("--out", type=Path, default=Path("runs/multihost"), help="run folders: not there yet")
    parser.add_argument("--users", type=int, default=4, help=f"2 to {MAX_USERS}")
    parser.add_argument("--requests", type=int, default=32, help=f"of each run, 8 to {MAX_REQUESTS}")
    options = parser.parse_args(arguments)
    if not 2 <= options.users <= MAX_USERS or not 8 <= options.requests <= MAX_REQUESTS:
        parser.error("--users or --requests out of range")
    if why := why_not():
        print(f"multihost: {why}", file=sys.stderr)
        return 2
    if (options.out / "cut").exists() or (options.out / "kill").exists():
        print(f"multihost: --out {options.out}: there are runs in it already", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        rehearse(options.out.absolute(), options.users, options.requests, whole=True, say=_say)
    except KeyboardInterrupt:
        print("multihost: interrupted; nothing is left", file=sys.stderr)
        return 1
    except (Failed, RuntimeError) as error:
        print(f"multihost: {error}", file=sys.stderr)
        return 1
    _say("all as it must be; hosts, processes and temporary folders are gone")
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(f"multihost: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
