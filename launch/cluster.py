"""Ray: one agent actor per host. Beside `remote_agent`, `cluster_doctor` and `training.distributed` the only
module that imports Ray.

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
from typing import Any, Final

from launch.agent import Agent
from launch.agent_api import AgentSettings
from launch.errors import LaunchError
from launch.placement import Host
from launch.remote_agent import RemoteAgent, first_line
from launch.temp_dirs import make_temp_dir
from shared.config import ClusterConfig

_QUIET: Final[dict[str, Any]] = {"log_to_driver": False, "logging_level": logging.ERROR}
FOR_AGENTS: Final = {"object_store_memory": 80 * 2**20, **_QUIET}
"""A private Ray's: its least store is 75 MiB, and nothing is ever put into it."""
_CALLS_AT_ONCE = 8
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_worker_niceness": "0",  # else roles, being below a worker, are 15 nicer than the command
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
    """A private Ray, or a stay in somebody's. `start` and `stop` on one thread that lives until the end.

    `standby`: the address of a Ray that the command keeps for all of its runs, instead of a private one.
    """

    def __init__(self, config: ClusterConfig, standby: str | None = None) -> None:
        self._config = config
        self._address = config.address or standby
        self._temp_dir: Path | None = None
        self._actors: list[Any] = []
        self.start_s = 0.0

    @property
    def joins(self) -> bool:
        """Whether this Ray is not this process's own."""
        return self._address is not None

    def start(self) -> None:
        """Blocks until Ray is there. Raises `LaunchError`."""
        require_ray()
        began_s = time.monotonic()
        try:
            if self._address is None:
                self._temp_dir = private_ray(1, **FOR_AGENTS)
            else:
                os.environ.update(_ENVIRONMENT)
                import ray

                ray.init(address=self._address, namespace="m4sc", **_QUIET)
        except Exception as error:  # noqa: BLE001  Ray says a start that took too long by a bare Exception
            where = self._address or "a private Ray on this machine"
            raise LaunchError(f"Ray cannot be started or reached ({where}): {first_line(error)}") from None
        self.start_s = time.monotonic() - began_s

    def hosts(self) -> list[Host]:
        """The cluster's living nodes, this host's own among them. To be called after `start`."""
        import ray

        here = ray.get_runtime_context().get_node_id()
        nodes = [node for node in ray.nodes() if node["Alive"]]
        names = [node["NodeManagerHostname"] for node in nodes]
        return [
            Host(
                node_id=node["NodeID"],
                name=name if names.count(name) == 1 else f"{name}-{node['NodeManagerAddress']}",
                address=node["NodeManagerAddress"],
                here=node["NodeID"] == here,
                labels=node.get("Labels") or {},
            )
            for node, name in zip(nodes, names, strict=True)
        ]

    def agent(self, host: Host, settings: AgentSettings) -> RemoteAgent:
        """Create the agent actor of a host. Raises `LaunchError`, or later, when it is first asked."""
        actor = on_node(Agent, host.node_id, max_concurrency=_CALLS_AT_ONCE).remote(settings)
        self._actors.append(actor)
        return RemoteAgent(actor, host.name, self._config.host_timeout_s if settings.lease_s else None)

    def stop(self) -> None:
        """End the agents; end Ray if it is ours. The folder of a private Ray is removed."""
        import ray

        if ray.is_initialized():
            for actor in self._actors:
                ray.kill(actor)
            ray.shutdown()
        self.remove_temp_dir()

    def remove_temp_dir(self) -> None:
        """Also for use when Ray was killed rather than stopped."""
        if self._temp_dir is not None:
            shutil.rmtree(self._temp_dir, ignore_errors=True)


def on_node(cls: type, node_id: str, **options: Any) -> Any:
    """A class as an actor of a certain node that takes no CPU of Ray's."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)
    return ray.remote(cls).options(num_cpus=0, scheduling_strategy=there, **options)
