"""The one place where errors of a person become one line and an exit code."""

import sys
from collections.abc import Callable

from launch.errors import Interrupted

BAD_INPUT, CUT_SHORT = 2, 3
_USER_ERRORS = (
    ("shared.config_file", "ConfigError"),
    ("shared.semantic.bundle", "BundleError"),
    ("basestation.image_door", "BadInput"),
    ("launch.datasets.errors", "DatasetError"),
    ("launch.errors", "LaunchError"),
)


def reporting_errors(work: Callable[[], object], again: str = "") -> None:
    """Do `work`; for an error of a person, one line on standard error and `SystemExit`.

    `again` tells people what goes on with work that was stopped.
    """
    try:
        work()
    except _user_errors() as error:
        # One line, whatever a library wrote into the message.
        line = " ".join(str(error).split())
        stopped = isinstance(error, Interrupted)
        print(f"m4sc: {line}; {again}" if stopped and again else f"m4sc: {line}", file=sys.stderr)
        sys.exit(CUT_SHORT if stopped else BAD_INPUT)


def _user_errors() -> tuple[type[BaseException], ...]:
    """Looked up when something was raised: a type whose module was never imported cannot be it."""
    return tuple(
        getattr(sys.modules[module], name)
        for module, name in _USER_ERRORS
        if module in sys.modules and hasattr(sys.modules[module], name)
    )
