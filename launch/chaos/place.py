"""The roles of a testbed as faults see them: whom an agent can strike, and who is being started meanwhile."""

import time

from launch.agent_api import AgentApi
from shared.spec import RoleSpec


class RolePlace:
    """Starts are not waited for: `starting` says who is awaited, and until when (s, monotonic clock)."""

    def __init__(self, agent: AgentApi, start_timeout_s: float) -> None:
        self._agent = agent
        self._start_timeout_s = start_timeout_s
        self._late: dict[str, RoleSpec] = {}
        self.starting: dict[str, float] = {}
        self.signal = agent.signal
        self.end = agent.end
        self.slow = agent.slow
        self.fill_disk = agent.fill_disk
        self.go_on = agent.go_on

    def keep(self, spec: RoleSpec) -> None:
        """Not to be started with the others, but when a fault says so."""
        self._late[spec.name] = spec

    def start(self, role: str, beside: bool = False) -> None:
        """Start a role's next incarnation, or its first. Raises `LaunchError`."""
        if role in self._late:
            self._agent.start(self._late.pop(role))
        else:
            self._agent.start_next(role, beside)
        self.starting[role] = time.monotonic() + self._start_timeout_s

    def overdue(self, now_s: float) -> list[str]:
        """Who was started and is not ready in time."""
        return [role for role, until_s in self.starting.items() if now_s >= until_s]

    def roles(self) -> list[str]:
        """Who lives."""
        return list(dict.fromkeys(name_of(r) for r in self._agent.roles() if r["exit_code"] is None))

    def incarnation(self, role: str) -> int:
        """The latest; 0 of a role that is not there."""
        return max((int(r["incarnation"]) for r in self._agent.roles() if name_of(r) == role), default=0)


def name_of(role: dict[str, object]) -> str:
    """'bs', 'ce', 'ue-3' of one of the agent's descriptions."""
    return f"ue-{role['user']}" if role["role"] == "ue" else str(role["role"])
