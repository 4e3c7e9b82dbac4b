"""Which users are attached, as the channel emulator reports it."""

from collections.abc import Iterable

from shared.wire.messages import PeerState


class Presence:
    """Users 0 ... n-1. One that is away for at most `grace_s` counts as reachable: it may be restarting.

    `late`: those that nobody waits for.
    """

    def __init__(self, users: int, grace_s: float, late: Iterable[int] = ()) -> None:
        self._users = users
        self._awaited = set(range(users)) - set(late)
        self._grace_s = grace_s
        self._away_since_s: dict[int, float] = {}
        self._opened_s: float | None = None
        self._incarnation: dict[int, int] = {}
        self.present: set[int] = set()

    def open(self, now_s: float) -> None:
        """The base station can hear of users from now on."""
        if self._opened_s is None:
            self._opened_s = now_s

    @property
    def opened(self) -> bool:
        """Whether who is attached is known at all."""
        return self._opened_s is not None

    def succeeds(self, message: PeerState) -> bool:
        """Whether it tells of another process than the user had: that one has ended."""
        return message.incarnation > self._incarnation.get(message.user, message.incarnation)

    def update(self, message: PeerState, now_s: float) -> bool:
        """True when the user came (back): attached after absence, or as a new process."""
        user = message.user
        if not 0 <= user < self._users or message.incarnation < self._incarnation.get(user, 0):
            return False
        renewed = message.incarnation > self._incarnation.get(user, -1)
        self._incarnation[user] = message.incarnation
        if message.state == "attached":
            came = renewed or user not in self.present
            self.present.add(user)
            return came
        self._leave(user, now_s)
        return False

    def lose_all(self, now_s: float) -> None:
        """The emulator is gone, and with it the knowledge of who is there."""
        for user in list(self.present):
            self._leave(user, now_s)

    def reachable(self, user: int, now_s: float) -> bool:
        if user in self.present:
            return True
        since_s = self._away_since_s.get(user, self._opened_s)
        return since_s is None or now_s - since_s <= self._grace_s

    def complete(self) -> bool:
        """Every user of the run is attached, late ones aside."""
        return self.present >= self._awaited

    def grace_ends_s(self) -> float | None:
        """When waiting for users that never came is over."""
        return None if self._opened_s is None else self._opened_s + self._grace_s

    def _leave(self, user: int, now_s: float) -> None:
        if user in self.present:
            self.present.discard(user)
            self._away_since_s[user] = now_s
