"""How a run can be reached while it goes on: its control door, its page, and the word where they are."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from launch.control_door import ControlDoor
from launch.dashboard.address import Address
from launch.dashboard.child import END_S, DashboardChild
from launch.errors import LaunchError
from launch.local_control import LocalControl, UpState
from launch.orders import Orders
from launch.testbed import Tell, Testbed


class Openings:
    """Nothing for a run that nobody shall reach. All on the thread that keeps the run, but `close`."""

    def __init__(self, orders: Orders, tell: Tell) -> None:
        self._orders = orders
        self._run_dir = Path(orders.run_dir)
        self._tell = tell
        self._control: LocalControl | None = None
        self._door: ControlDoor | None = None
        self._page: DashboardChild | None = None
        self._hearing: threading.Thread | None = None
        self._over = False

    def reserve(self) -> None:
        """Before anything starts, so that a second testbed that stays up is refused. Raises `LaunchError`."""
        if self._orders.stay:
            self._control = LocalControl(Path(self._orders.state_dir))

    def open(self, testbed: Testbed, on_down: Callable[[], None]) -> None:
        """The roles are ready. `m4sc up` says where the page is before it returns; a run does not wait."""
        if self._control is None and self._orders.dashboard is None:
            return
        self._door = ControlDoor(testbed, self._run_dir, on_down)
        if self._orders.dashboard is not None:
            page = DashboardChild(self._run_dir, self._door.path, Address(**self._orders.dashboard))
            self._page = page
            self._hearing = threading.Thread(target=self._hear, args=(page, self._door), daemon=True)
            self._hearing.start()
            if self._control is not None:
                self._hearing.join()
        if self._control is not None:
            who = (os.getpid(), self._orders.run_id, str(self._run_dir))
            self._control.announce(UpState(*who, self._door.path, self._door.dashboard))

    def end_page(self, hurried: bool) -> None:
        """It has shown the end of the run; one that was still starting need not start any more."""
        if self._page is None or self._hearing is None:
            return
        self._over = True
        self._page.end(0.0 if hurried else END_S)
        self._hearing.join()
        self._page.close()

    def close(self) -> None:
        """The door is shut, and nothing says that there is one."""
        if self._door is not None:
            self._door.close()
        if self._control is not None:
            self._control.close()

    def _hear(self, page: DashboardChild, door: ControlDoor) -> None:
        """A page that cannot be shown is a pity, not a failure of the run."""
        try:
            door.dashboard = page.wait_ready()
        except LaunchError as error:
            if not self._over:
                self._tell({"kind": "note", "text": str(error)})
            return
        self._tell({"kind": "dashboard", "url": door.dashboard})
