"""The agent actor of a host as an object: the calls and errors of `Agent`, with a bound on each wait."""

from collections.abc import Iterable
from typing import Any

from launch.agent_api import StopBudget, StopReport
from launch.errors import HostLost, LaunchError
from launch.event_box import AgentEvent
from launch.host_api import Clock, HostApi
from shared.keys import Guest
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Done, Ready

_ANSWER_S = 30.0
_START_S = 60.0  # the first question waits for the actor
_DIGEST_S = 600.0


class RemoteAgent(HostApi):
    """`answer_s`: how long it may take beyond what a call takes by its nature, for another host's agent."""

    def __init__(self, actor: Any, host: str = "", answer_s: float | None = None) -> None:
        self._actor = actor
        self._who = f"the agent of {host}" if host else "the agent"
        self._answer_s = answer_s

    def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        return self._call("launch", specs, timeout_s, wait_s=timeout_s + 30.0)

    def begin(self) -> None:
        self._call("begin")

    def ask(self, question: Ask, timeout_s: float) -> AskResult:
        return self._call("ask", question, timeout_s, wait_s=timeout_s + 5.0)

    def events(self, timeout_s: float) -> list[AgentEvent]:
        return self._call("events", timeout_s, wait_s=timeout_s + (self._answer_s or 10.0))

    def start(self, spec: RoleSpec) -> None:
        self._call("start", spec)

    def start_next(self, name: str, beside: bool = False) -> None:
        self._call("start_next", name, beside)

    def end(self, name: str) -> None:
        self._call("end", name)

    def signal(self, name: str, number: int, incarnation: int | None = None) -> None:
        self._call("signal", name, number, incarnation)

    def slow(self, name: str, cpu_share: float, for_s: float) -> None:
        self._call("slow", name, cpu_share, for_s)

    def fill_disk(self, name: str) -> None:
        self._call("fill_disk", name)

    def go_on(self, name: str) -> None:
        self._call("go_on", name)

    def inject(self, fault: str) -> dict[str, Any]:
        return self._call("inject", fault)

    def roles(self) -> list[dict[str, Any]]:
        return self._call("roles")

    def stop(self, budget: StopBudget) -> StopReport:
        return self._call("stop", budget, wait_s=budget.total_s + 5.0)

    def join(self, data_network: str | None, node_address: str, bundle: str | None) -> str:
        return self._call("join", data_network, node_address, bundle, wait_s=_START_S)

    def introduce(self, names: list[str]) -> dict[str, Guest]:
        return self._call("introduce", names)

    def learn(self, guests: dict[str, Guest]) -> None:
        self._call("learn", guests)

    def find_bundle(self, bundle: str, fingerprint: str) -> str | None:
        return self._call("find_bundle", bundle, fingerprint, wait_s=_START_S)

    def put_bundle(self, fingerprint: str, name: str, offset: int, data: bytes) -> None:
        self._call("put_bundle", fingerprint, name, offset, data)

    def keep_bundle(self, fingerprint: str) -> str:
        return self._call("keep_bundle", fingerprint, wait_s=_DIGEST_S)

    def put_file(self, name: str, offset: int, data: bytes) -> None:
        self._call("put_file", name, offset, data)

    def up(self, role: str = "") -> list[str]:
        return self._call("up", role)

    def command(self, names: Iterable[str], verb: str, timeout_s: float) -> dict[str, Done]:
        return self._call("command", list(names), verb, timeout_s, wait_s=timeout_s + 10.0)

    def finish(self, budget: StopBudget) -> StopReport:
        return self._call("finish", budget, wait_s=budget.sample_s + budget.exit_s + 10.0)

    def clock(self) -> Clock:
        return self._call("clock")

    def files(self) -> list[tuple[str, int]]:
        return self._call("files")

    def read_file(self, name: str, offset: int) -> bytes:
        return self._call("read_file", name, offset)

    def leave(self) -> None:
        self._call("leave")

    def _call(self, method: str, *arguments: Any, wait_s: float | None = None) -> Any:
        import ray

        wait_s = wait_s or self._answer_s or _ANSWER_S
        try:
            return ray.get(getattr(self._actor, method).remote(*arguments), timeout=wait_s)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, LaunchError):
                raise cause from None
            raise LaunchError(
                f"{self._who} failed in {method}: {type(cause).__name__}: {first_line(cause)}"
            ) from error
        except ray.exceptions.GetTimeoutError:
            raise HostLost(f"{self._who} did not answer {method} within {wait_s:g} s") from None
        except ray.exceptions.RayError as error:
            raise HostLost(f"{self._who} is gone ({first_line(error)})") from None


def first_line(error: BaseException) -> str:
    """The first line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
