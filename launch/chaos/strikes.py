"""The kinds of faults on processes: what each does when it begins, in between, and when its time is over."""

import contextlib
import signal
from collections.abc import Callable

from launch.chaos.strike import Place, Strike
from launch.errors import LaunchError
from shared.process_fault_config import (
    DiskFullConfig,
    KillConfig,
    LateConfig,
    LeaveConfig,
    Listed,
    PauseConfig,
    ReplaceConfig,
    RestartConfig,
    SlowConfig,
)


class StartedAgain(Strike):
    """The process is made to end; the next incarnation is started, and the fault ends when it is ready."""

    def __init__(self, place: Place, roles: list[str], strike: Callable[[str], None]) -> None:
        super().__init__(place, roles)
        self._strike = strike
        self._struck_s = 0.0
        self._down = False

    def begin(self, now_s: float) -> None:
        self._struck_s = now_s
        self._strike(self.role)

    def ended(self, incarnation: int, now_s: float) -> bool:
        if self._down:
            return False  # that was the next one
        self._down = True
        self.place.start(self.role)
        return True

    def ready(self, now_s: float) -> None:
        self._ready_after(self._struck_s, now_s)
        self.done = True


class Pause(Strike):
    """SIGSTOP, SIGCONT."""

    def begin(self, now_s: float) -> None:
        self.place.signal(self.role, signal.SIGSTOP)

    def over(self, now_s: float) -> None:
        self.done = True
        self.place.go_on(self.role)


class Slow(Strike):
    """A share of a core."""

    def __init__(self, place: Place, roles: list[str], fault: SlowConfig) -> None:
        super().__init__(place, roles)
        self._fault = fault

    def begin(self, now_s: float) -> None:
        self.place.slow(self.role, self._fault.cpu_share, self._fault.for_s)

    def over(self, now_s: float) -> None:
        self.done = True
        self.place.go_on(self.role)


class DiskFull(Strike):
    """No room for what they write; who is not there is not struck."""

    def begin(self, now_s: float) -> None:
        struck = []
        for role in self.roles:
            with contextlib.suppress(LaunchError):
                self.place.fill_disk(role)
                struck.append(role)
        if not struck:
            raise LaunchError("nobody's disk could be filled")
        self.roles, self.strikes = struck, len(struck)

    def over(self, now_s: float) -> None:
        self.done = True
        for role in self.roles:
            with contextlib.suppress(LaunchError):
                self.place.go_on(role)


class Leave(Strike):
    """The UE leaves in good order and is started again when the time is over, if it ever is."""

    starts_when_over = True

    def __init__(self, place: Place, roles: list[str]) -> None:
        super().__init__(place, roles)
        self._gone = False
        self._over_s: float | None = None

    def begin(self, now_s: float) -> None:
        self.place.end(self.role)

    def ended(self, incarnation: int, now_s: float) -> bool:
        if self._gone:
            return False
        self._gone = True
        if self._over_s is not None:
            self.place.start(self.role)
        return True

    def over(self, now_s: float) -> None:
        self._over_s = now_s
        if self._gone:
            self.place.start(self.role)

    def ready(self, now_s: float) -> None:
        if self._over_s is not None:
            self._ready_after(self._over_s, now_s)
            self.done = True


class Late(Strike):
    """The UE, which was not started with the others, is started when the time is over."""

    starts_when_over = True

    def __init__(self, place: Place, roles: list[str]) -> None:
        super().__init__(place, roles)
        self._over_s = 0.0

    def over(self, now_s: float) -> None:
        self._over_s = now_s
        self.place.start(self.role)

    def ready(self, now_s: float) -> None:
        self._ready_after(self._over_s, now_s)
        self.done = True


class Replace(Strike):
    """The old process stands still while the next one is started; continued, it is fenced and ends."""

    def __init__(self, place: Place, roles: list[str]) -> None:
        super().__init__(place, roles)
        self._old = 0
        self._struck_s = 0.0

    def begin(self, now_s: float) -> None:
        self._struck_s = now_s
        self._old = self.place.incarnation(self.role)
        self.place.signal(self.role, signal.SIGSTOP)
        try:
            self.place.start(self.role, beside=True)
        except LaunchError:
            self.place.signal(self.role, signal.SIGCONT, self._old)
            raise

    def ready(self, now_s: float) -> None:
        self._ready_after(self._struck_s, now_s)

    def over(self, now_s: float) -> None:
        self.place.signal(self.role, signal.SIGCONT, self._old)

    def ended(self, incarnation: int, now_s: float) -> bool:
        self.done |= incarnation == self._old
        return incarnation == self._old


def strike_of(fault: Listed, roles: list[str], place: Place) -> Strike:
    """The fault, yet to begin, on `roles`."""
    match fault:
        case KillConfig():
            return StartedAgain(place, roles, lambda role: place.signal(role, signal.SIGKILL))
        case RestartConfig():
            return StartedAgain(place, roles, place.end)
        case PauseConfig():
            return Pause(place, roles)
        case SlowConfig():
            return Slow(place, roles, fault)
        case LeaveConfig():
            return Leave(place, roles)
        case LateConfig():
            return Late(place, roles)
        case ReplaceConfig():
            return Replace(place, roles)
        case DiskFullConfig():
            return DiskFull(place, roles)
