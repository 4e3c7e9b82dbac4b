"""A fault on processes while it is active: what it may do to roles, and what it is told of them."""

from typing import Any, Protocol


class Place(Protocol):
    """Where roles run. Methods raise `LaunchError` for a role that is not there, or not ready."""

    def roles(self) -> list[str]: ...
    def incarnation(self, role: str) -> int: ...
    def signal(self, role: str, number: int, incarnation: int | None = None) -> None: ...
    def end(self, role: str) -> None: ...
    def start(self, role: str, beside: bool = False) -> None: ...
    def slow(self, role: str, cpu_share: float, for_s: float) -> None: ...
    def fill_disk(self, role: str) -> None: ...
    def go_on(self, role: str) -> None: ...


class Strike:
    """Base of all kinds. Times are seconds of one monotonic clock.

    `strikes`: how many processes it hit; `done`: it has ended; `fields`: what the journal shall say of that.
    `starts_when_over`: its role is then started, for which it is too late when the testbed stops.
    """

    starts_when_over = False

    def __init__(self, place: Place, roles: list[str]) -> None:
        self.place = place
        self.roles = roles
        self.strikes = 1
        self.done = False
        self.fields: dict[str, Any] = {}

    @property
    def role(self) -> str:
        """Of a fault on one."""
        return self.roles[0]

    def begin(self, now_s: float) -> None:
        """Strike. Raises `LaunchError` where that cannot be done: then nothing has happened."""

    def over(self, now_s: float) -> None:
        """Its time is over, or the testbed stops. Raises `LaunchError`."""

    def ended(self, incarnation: int, now_s: float) -> bool:
        """A process of its role has ended: whether this fault did that. Raises `LaunchError`."""
        return False

    def ready(self, now_s: float) -> None:
        """A process of its role is ready."""

    def _ready_after(self, since_s: float, now_s: float) -> None:
        self.fields["ready_after_s"] = round(now_s - since_s, 3)
