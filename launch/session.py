"""One run from start to finished folder: what the supervisor's working thread does, step by step."""

import os
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from basestation.image_door import BadInput
from launch.agent_api import HURRIED, AgentApi, AgentSettings, StopBudget, role_modules, warm_modules
from launch.cluster import Cluster
from launch.datasets.errors import DatasetError
from launch.errors import LaunchError, RoleRefused
from launch.forkserver_start import EarlyForkservers
from launch.gather import fetch_host
from launch.host_group import HostGroup
from launch.host_start import bring_file, start_group
from launch.imports import import_for_completion
from launch.openings import Openings
from launch.orders import Orders
from launch.placement import place
from launch.testbed import Tell, Testbed
from shared.config import RunConfig
from shared.config_file import ConfigError
from shared.keys import MAX_KEY_USERS
from shared.link_curve import curve_available

USER_ERRORS = (ConfigError, DatasetError, LaunchError, BadInput)
_DRAIN_SLACK_S = 5.0
_BROKEN_DRAIN_S = 2.0
_GATHER_S = 120.0
_HURRIED_GATHER_S = 0.5


class Session:
    """`run` on a thread of its own; everything else from any thread."""

    def __init__(self, orders: Orders, config: RunConfig, tell: Tell) -> None:
        self.config = config
        self.exit_code = 3
        self.roles: list[dict[str, Any]] = []
        self.stopped_by: str | None = None
        self.abandoned = threading.Event()
        self.on_ray_started: Callable[[], object] = lambda: None
        self.on_failed: Callable[[], object] = lambda: None
        self._orders = orders
        self._run_dir = Path(orders.run_dir)
        self._tell = tell
        self._stop = threading.Event()
        self._hurried = False
        self._began_s = time.monotonic()
        self._times: dict[str, float] = {}
        self._facts: dict[str, Any] = {}
        self._completion = threading.Lock()
        self._failing = threading.Lock()
        self._failed = False
        self._cluster = Cluster(config.cluster, orders.ray)
        self._forkservers = EarlyForkservers(self._run_dir / "logs")
        self._group: HostGroup | None = None
        self._testbed: Testbed | None = None
        self._openings = Openings(orders, tell)

    @property
    def has_roles(self) -> bool:
        """Whether anything has been measured that an orderly stop could save."""
        return "ready" in self._times

    def request_stop(self, why: str, hurried: bool) -> None:
        """End the run: `hurried` when somebody waits for it, else what is open is finished first."""
        self.stopped_by = self.stopped_by or why
        self._hurried = self._hurried or hurried
        self._stop.set()

    def run(self) -> None:
        """To the end, whatever happens; the outcome is told to the command and left in `exit_code`."""
        try:
            testbed = self._start()
            self._keep(testbed)
            self._finish(testbed)
        except USER_ERRORS as error:
            self._fail_for(error)
        except BaseException as error:  # noqa: BLE001  the last frame of a thread: a bug must not hang the command
            traceback.print_exc()
            log = self._run_dir / "logs" / "supervisor.log"
            self._fail("bug", f"{type(error).__name__} in the supervisor (see {log})", 3)
        finally:
            self._openings.end_page(self._hurried)

    def ray_overdue(self) -> bool:
        """Whether Ray has had its time and has not started; said to the command then."""
        limit_s = (
            2 * self.config.cluster.start_timeout_s
        )  # of which Ray alone may take half on a busy machine
        if "ray" in self._times or time.monotonic() - self._began_s < limit_s:
            return False
        self._fail_for(LaunchError(f"Ray did not start within {limit_s:g} s (2 x cluster.start_timeout_s)"))
        return True

    def cleanup(self) -> None:
        """What is outside the run folder and outlives processes."""
        self._cluster.remove_temp_dir()
        self._forkservers.close()
        self._openings.close()

    # --- start ----------------------------------------------------------------------------------------

    def _start(self) -> Testbed:
        self._openings.reserve()
        settings = self._settings()
        if not settings.early and self.config.cluster.address is None:  # all roles are on this host then
            settings = replace(settings, early=self._forkservers.start(settings.forkservers()))
        with ThreadPoolExecutor(1, thread_name_prefix="m4sc-workload") as pool:
            workload = pool.submit(self._build_workload)
            workload.add_done_callback(self._look_at_workload)
            self._phase("joining Ray" if self._cluster.joins else "starting Ray")
            self._cluster.start()
            self.on_ray_started()
            self._mark("ray")
            agent = self._agents(settings)
            testbed = self._testbed = Testbed(
                self.config, self._run_dir, self._orders.run_id, agent, self._tell
            )
            timeout_s = self.config.cluster.start_timeout_s
            self._phase("starting the channel emulator")
            endpoint = testbed.start_emulator(timeout_s)
            self._mark("emulator")
            self._wait_for(workload)
            self._bring_workload()
            self._phase(f"starting the base station and {self.config.users} UEs")
            testbed.start_others(endpoint, timeout_s)
        self.roles = testbed.status()["roles"]
        self._mark("ready")
        return testbed

    def _agents(self, settings: AgentSettings) -> AgentApi:
        """Of this host, or, where roles are placed on several, of all of those: then CURVE is the default."""
        config = self.config
        placement = self._placement = place(self._cluster.hosts(), config.users, config.cluster.placement)
        curve = config.security.curve_on(len(placement.hosts))
        if curve and config.users > MAX_KEY_USERS:
            raise ConfigError(f"security.curve: at most {MAX_KEY_USERS} users, not {config.users}")
        if curve and not curve_available():
            raise ConfigError("security.curve: this machine's ZeroMQ was built without CURVE")
        settings = replace(settings, curve_users=config.users if curve else 0)
        if len(placement.hosts) == 1:
            return self._cluster.agent(placement.hosts[0], settings)
        self._phase(f"joining {len(placement.hosts)} hosts: {', '.join(h.name for h in placement.hosts)}")
        self._group = start_group(placement, config, settings, self._cluster.agent, self._phase)
        self._mark("hosts")
        return self._group

    def _bring_workload(self) -> None:
        """UEs on other hosts read their questions there."""
        if self._group is not None and self.config.question_at == "ue":
            elsewhere = {host.name for host in self._placement.hosts if not host.here}
            bring_file(self._group, self._run_dir / "workload.jsonl", elsewhere)

    def _gather(self, testbed: Testbed) -> None:
        """What other hosts have of the run; what cannot be had is said in the journal."""
        if self._group is None:
            return
        here = self._placement.hosts[0].name
        for host, agent in self._group.living().items():
            if host == here:
                continue
            try:
                fetch_host(agent, host, self._run_dir, _HURRIED_GATHER_S if self._hurried else _GATHER_S)
            except LaunchError as error:
                line = f"host {host} is lost: what it has of the run cannot be gathered: {error}"
                testbed.record_lost_host(host, self._placement.roles_on(host), line)
        self._group.close()

    def _settings(self) -> AgentSettings:
        return AgentSettings(
            run_id=self._orders.run_id,
            run_dir=self._run_dir,
            host=os.uname().nodename,
            owner_pid=os.getpid(),
            role_modules=role_modules(),
            warm_modules=warm_modules(self.config),
            sample_every_s=self.config.resources.every_s,
            early=self._orders.early,
        )

    def _build_workload(self) -> int:
        if self._orders.stay:
            (self._run_dir / "workload.jsonl").touch()
            return 0
        from launch.workload import build_workload  # imports beside Ray's start, not before it

        count = build_workload(self.config, self._run_dir, self._phase)
        self._mark("workload")
        return count

    def _look_at_workload(self, workload: "Future[int]") -> None:
        """A workload that cannot be built ends the run now, not when Ray has started."""
        error = workload.exception()
        if isinstance(error, USER_ERRORS):
            self._fail_for(error)
            self.on_failed()

    def _wait_for(self, workload: "Future[int]") -> None:
        if not workload.done():
            self._phase("preparing the workload")
        count = self._facts["planned"] = workload.result()
        if not self._orders.stay:
            self._tell({"kind": "planned", "count": count})

    # --- run ------------------------------------------------------------------------------------------

    def _keep(self, testbed: Testbed) -> None:
        self._openings.open(testbed, lambda: self.request_stop("down", hurried=False))
        self._tell({"kind": "ready", "roles": self.roles})
        if self._orders.stay:
            testbed.begin_faults()
        else:
            self._phase("running the workload")
            testbed.begin()
        # Imported while there is time: after a signal there is none.
        import_for_completion()
        while not self._stop.is_set() and testbed.failure is None and not testbed.workload_done:
            testbed.watch()

    # --- end ------------------------------------------------------------------------------------------

    def _finish(self, testbed: Testbed) -> None:
        if self._stop.is_set() and not self._orders.stay:
            testbed.record_interrupt(self.stopped_by or "")
        self._phase("stopping")
        report = testbed.stop(HURRIED if self._hurried else self._budget())
        self.roles = report.roles
        self._gather(testbed)
        self._mark("stopped")
        self._facts |= {
            "drained": report.drained,
            "counters_equal": report.counters_equal,
            "late": report.late,
            "killed": report.killed,
            "crashes": [crash.line() for crash in report.crashes],
            "failure": testbed.failure,
        }
        if not self._hurried:  # in a hurry the supervisor's main thread kills what there is of Ray
            self._cluster.stop()
            self._mark("ray_stopped")
        self.complete(None if self._orders.stay else self.stopped_by)

    def complete(self, cut_short: str | None) -> bool:
        """Results and report into the run folder; False when another thread is at it or has done it."""
        given_up = self.abandoned.is_set() and threading.current_thread() is not threading.main_thread()
        if given_up or not self._completion.acquire(blocking=False):
            return False

        from launch.completion import complete_run_folder  # heavy, and not needed until here

        self._phase("writing results")
        summary = complete_run_folder(
            self._run_dir,
            self.config,
            run_id=self._orders.run_id,
            roles=self.roles,
            started_wall_s=self._orders.started_wall_s,
            launch=self.facts(cut_short),
        )
        self.exit_code = int(summary["exit_code"])
        self._tell({"kind": "finished", "code": self.exit_code, "verdict": summary["verdict"]})
        return True

    def facts(self, cut_short: str | None) -> dict[str, Any]:
        """For the summary: start-up times in s since the supervisor began, how the stop went."""
        return {"cut_short": cut_short, "times_s": dict(self._times), **self._facts}

    def _fail_for(self, error: BaseException) -> None:
        """A person's error. What ran, or tried to, keeps its folder and logs; else nothing is left of it."""
        keep = isinstance(error, LaunchError) and not isinstance(error, RoleRefused)
        self._fail("error", str(error), 2, keep)

    def _fail(self, kind: str, text: str, code: int, keep: bool = True) -> None:
        """Nothing useful ran, or, after a signal, something failed because of it. First call only."""
        with self._failing:
            if self._failed:
                return
            self._failed = True
        if self._stop.is_set() or self.abandoned.is_set():
            self.complete(self.stopped_by)
            return
        self._facts["failure"] = text
        self.exit_code = code
        self._tell(
            {
                "kind": "error",
                "what": kind,
                "text": text,
                "code": code,
                "keep": keep,
                "launch": self.facts(None),
            }
        )

    def _budget(self) -> StopBudget:
        if self._testbed is not None and self._testbed.failure is not None:
            return StopBudget(drain_s=_BROKEN_DRAIN_S)
        return StopBudget(drain_s=self.config.deadline_ms / 1e3 + _DRAIN_SLACK_S)

    def _phase(self, text: str) -> None:
        self._tell({"kind": "phase", "text": text})

    def _mark(self, name: str) -> None:
        if self.abandoned.is_set():
            raise LaunchError("given up")
        self._times[name] = round(time.monotonic() - self._began_s, 3)
