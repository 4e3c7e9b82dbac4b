"""Ray: one agent actor per host. With `launch.training.distributed` the only module that imports Ray.

Without `cluster.address` a private Ray is started below this process, in a folder of its own that is
removed at the end; its helpers (gcs_server, raylet, monitors) have PDEATHSIG from Ray and the run's id in
their environment. With an address the agent joins that cluster, and only the agent is ended, never Ray.
"""

import importlib.util
import logging
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from launch.agent import Agent
from launch.agent_api import AgentApi, AgentSettings, StopBudget, StopReport
from launch.errors import LaunchError
from launch.event_box import AgentEvent
from launch.temp_dirs import make_temp_dir
from shared.config import ClusterConfig
from shared.spec import RoleSpec
from shared.wire.messages import Ask, AskResult, Ready

_OBJECT_STORE_BYTES = 80 * 2**20  # Ray's minimum is 75 MiB; nothing is ever put into it
_CALLS_AT_ONCE = 8
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # leave CUDA_VISIBLE_DEVICES as the user set it
    "SPT_NOENV": "1",  # process titles must not overwrite the environment: guardian reads the run id there
}


def require_ray() -> None:
    """Raise `LaunchError` when Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise LaunchError("Ray is missing: install it with `pip install ray`, or run `make setup`")


def private_ray(cpus: int, **options: Any) -> Path:
    """Start a Ray of this process alone; returns its folder, to be removed by whoever stops it.

    To be called before anything imports Ray, which reads its environment then.
    """
    # A token of this run alone; else Ray leaves one in the home folder.
    os.environ.update(_ENVIRONMENT, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    import ray

    temp_dir = make_temp_dir("ray")
    try:
        ray.init(address="local", num_cpus=cpus, include_dashboard=False, _temp_dir=str(temp_dir), **options)
    except BaseException:
        shutil.rmtree(temp_dir, ignore_errors=True)
        raise
    return temp_dir


class Cluster:
    """A private Ray, or a stay in somebody's. `start` and `stop` on one thread that lives until the end."""

    def __init__(self, config: ClusterConfig) -> None:
        self._config = config
        self._temp_dir: Path | None = None
        self._actor: Any = None
        self.start_s = 0.0

    def start(self) -> None:
        """Blocks until Ray is there. Raises `LaunchError`."""
        require_ray()
        began_s = time.monotonic()
        common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if self._config.address is None:
                self._temp_dir = private_ray(1, object_store_memory=_OBJECT_STORE_BYTES, **common)
            else:
                os.environ.update(_ENVIRONMENT)
                import ray

                ray.init(address=self._config.address, namespace="m4sc", **common)
        except Exception as error:  # noqa: BLE001  Ray says a start that took too long by a bare Exception
            where = self._config.address or "a private Ray on this machine"
            raise LaunchError(f"Ray cannot be started or reached ({where}): {_first_line(error)}") from None
        self.start_s = time.monotonic() - began_s

    def agent(self, settings: AgentSettings) -> "RemoteAgent":
        """Create the agent actor on this host. Raises `LaunchError`."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = ray.get_runtime_context().get_node_id()
        self._actor = (
            ray.remote(Agent)
            .options(
                num_cpus=0,
                max_concurrency=_CALLS_AT_ONCE,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=here, soft=False),
            )
            .remote(settings)
        )
        return RemoteAgent(self._actor)

    def stop(self) -> None:
        """End the agent; end Ray if it is ours. The folder of a private Ray is removed."""
        import ray

        if ray.is_initialized():
            if self._actor is not None:
                ray.kill(self._actor)
            ray.shutdown()
        self.remove_temp_dir()

    def remove_temp_dir(self) -> None:
        """Also for use when Ray was killed rather than stopped."""
        if self._temp_dir is not None:
            shutil.rmtree(self._temp_dir, ignore_errors=True)


class RemoteAgent(AgentApi):
    """The agent actor as an object: the same calls as `Agent`, the same errors, with a bound on each wait."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def launch(self, specs: list[RoleSpec], timeout_s: float) -> list[Ready]:
        return self._call("launch", specs, timeout_s, wait_s=timeout_s + 30.0)

    def begin(self) -> None:
        self._call("begin")

    def ask(self, question: Ask, timeout_s: float) -> AskResult:
        return self._call("ask", question, timeout_s, wait_s=timeout_s + 5.0)

    def events(self, timeout_s: float) -> list[AgentEvent]:
        return self._call("events", timeout_s, wait_s=timeout_s + 10.0)

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

    def _call(self, method: str, *arguments: Any, wait_s: float = 30.0) -> Any:
        import ray

        try:
            return ray.get(getattr(self._actor, method).remote(*arguments), timeout=wait_s)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, LaunchError):
                raise cause from None
            raise LaunchError(
                f"the agent failed in {method}: {type(cause).__name__}: {_first_line(cause)}"
            ) from error
        except ray.exceptions.GetTimeoutError:
            raise LaunchError(f"the agent did not answer {method} within {wait_s:g} s") from None
        except ray.exceptions.RayError as error:
            raise LaunchError(f"the agent is gone ({_first_line(error)})") from None


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
