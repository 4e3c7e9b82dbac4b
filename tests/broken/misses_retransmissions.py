"""A ledger that counts first transmissions alone, at every role that runs with it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from launch.agent_api import ROLE_MODULES
from shared.ledger_rows import RowKey
from shared.meter import Meter
from shared.spec import RoleSpec


@contextmanager
def defect(at: Callable[[RowKey], bool] = lambda key: True) -> Iterator[None]:
    """`at`: the rows that it strikes."""
    whole = Meter._put

    def put(self: Meter, key: RowKey, *numbers: Any) -> None:
        if key.purpose != "retransmission" or not at(key):
            whole(self, key, *numbers)

    with patch.object(Meter, "_put", put):
        yield


def main(spec: RoleSpec) -> int:
    with defect():
        code: int = import_module(ROLE_MODULES[spec.role]).main(spec)
    return code
