"""The dashboard of a run, started by the run's supervisor.

    python -m launch.dashboard '{"run_dir": ..., "control": ..., "host": ..., "port": 0, "parent": 123}'

Says one JSON line on standard output: {"url": ...} when the page can be opened, or {"error": ...}.
"""

import json
import os
import sys

from launch.guardian import die_with_parent
from launch.imports import imported_for_good

_NICER = 10
"""People who look come after the roles they look at."""


def main(arguments: list[str]) -> int:
    fields = json.loads(arguments[0])
    die_with_parent(fields.pop("parent"))
    os.nice(_NICER)
    with imported_for_good():
        from launch.dashboard.serve import ServeOrders, serve
        from launch.errors import LaunchError
        from shared.config_file import ConfigError
    try:
        serve(ServeOrders(**fields), lambda url: _say({"url": url}))
    except (LaunchError, ConfigError) as error:
        _say({"error": str(error)})
        return 2
    return 0


def _say(message: dict[str, str]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
