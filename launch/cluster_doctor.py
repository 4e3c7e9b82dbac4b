"""`m4sc doctor --cluster`: what several hosts need of each other, looked at link by link. Nothing is changed.

In the order in which a run would stumble: the port of the cluster, its token, and of every host this
project's and Python's version, clock, address in the data network, and whether the first host (where the base
station runs) and the others reach each other there.
"""

import importlib.metadata
import os
import platform
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from launch.cluster import Cluster, on_node
from launch.doctor import Finding
from launch.errors import LaunchError
from launch.host_address import address_in
from launch.placement import Host
from launch.remote_agent import first_line
from shared.config import ClusterConfig

MAX_CLOCK_S = 1.0
_VERSIONED = ("m4sc", "torch", "pyzmq", "ray")
_REACH_S = 3.0
_ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class HostFacts:
    """`wall_s`: unix time of the host when it answered. `data_address`: '' where `trouble` says why."""

    versions: dict[str, str]
    wall_s: float
    data_address: str
    trouble: str = ""


class Probe:
    """On a host: says what is there, listens, and tries to reach others. Ends with whoever made it."""

    def facts(self, network: str | None, node_address: str, host: str) -> HostFacts:
        versions = {"python": platform.python_version()}
        for name in _VERSIONED:
            try:
                versions[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                versions[name] = "missing"
        try:
            return HostFacts(versions, time.time(), address_in(network, node_address, host))
        except LaunchError as error:
            return HostFacts(versions, time.time(), "", str(error))

    def listen(self, address: str) -> int:
        """A port that accepts connections as long as this object lives."""
        self._server = socket.create_server((address, 0))
        return int(self._server.getsockname()[1])

    def reach(self, address: str, port: int) -> str:
        """'' if it can be reached from here, else why not."""
        try:
            socket.create_connection((address, port), _REACH_S).close()
        except OSError as error:
            return error.strerror or str(error)
        return ""


def examine_cluster(config: ClusterConfig) -> list[Finding]:
    """One finding for each link; after one that is missing only what can still be known."""
    findings = [_check_port(config.address or ""), _check_token()]
    if not findings[0].ok:
        return findings
    cluster = Cluster(config)
    try:
        cluster.start()
        findings.append(Finding("cluster", True, f"{len(cluster.hosts())} hosts"))
        findings += _check_hosts(cluster.hosts(), config)
    except LaunchError as error:
        advice = "compare RAY_AUTH_TOKEN, and the versions of Ray and Python"
        findings.append(Finding("cluster", False, str(error), advice))
    finally:
        with suppress(ImportError):
            cluster.stop()
    return findings


def _check_port(address: str) -> Finding:
    host, _, port = address.rpartition(":")
    if address == "auto":
        return Finding("port", True, "the cluster that this host is in")
    if not host or not port.isdigit():
        return Finding("port", False, address, "expected host:port, as `ray start --head` prints it")
    why = Probe().reach(host, int(port))
    advice = "" if not why else "is `ray start --head` running there, and the port open?"
    return Finding("port", not why, f"{address}: {why or 'connects'}", advice)


def _check_token() -> Finding:
    """Without one everybody who reaches the port can run code on all hosts."""
    if os.environ.get("RAY_AUTH_MODE") == "token":
        return Finding("token", True, "RAY_AUTH_MODE=token")
    return Finding(
        "token", False, "RAY_AUTH_MODE is not token", "set it, and one RAY_AUTH_TOKEN, on all hosts"
    )


def _check_hosts(hosts: list[Host], config: ClusterConfig) -> Iterator[Finding]:
    ordered = sorted(hosts, key=lambda host: not host.here)
    probes = {host.name: on_node(Probe, host.node_id).remote() for host in ordered}
    facts: dict[str, HostFacts] = {}
    for host in ordered:
        probe, asked_s = probes[host.name], time.time()
        told = _ask(probe.facts.remote(config.data_network, host.address, host.name))
        if isinstance(told, str):
            yield Finding(host.name, False, told, "is this project installed there, in the same version?")
            continue
        facts[host.name] = told
        mine = facts.get(ordered[0].name, told)
        yield _check_versions(host, told, mine)
        yield _check_clock(host, told, asked_s, time.time())
        yield Finding(f"{host.name} address", not told.trouble, told.data_address or "none", told.trouble)
    yield from _check_reach({name: probes[name] for name, told in facts.items() if told.data_address}, facts)


def _check_versions(host: Host, told: HostFacts, mine: HostFacts) -> Finding:
    differ = [f"{name} {it}, here {mine.versions[name]}" for name, it in told.versions.items()
              if it != mine.versions[name]]  # fmt: skip
    found = "; ".join(differ) or ", ".join(f"{name} {it}" for name, it in told.versions.items())
    return Finding(f"{host.name} versions", not differ, found, "install the same versions" if differ else "")


def _check_clock(host: Host, told: HostFacts, asked_s: float, answered_s: float) -> Finding:
    """By unix time, which the journal has beside each host's own clock; to the length of the question."""
    early, late = asked_s - told.wall_s, told.wall_s - answered_s
    off_s = max(0.0, early, late)
    advice = "" if off_s <= MAX_CLOCK_S else "set the clocks by NTP"
    return Finding(f"{host.name} clock", off_s <= MAX_CLOCK_S, f"at least {off_s:.2f} s off", advice)


def _check_reach(probes: dict[str, Any], facts: dict[str, HostFacts]) -> Iterator[Finding]:
    """Each host from each other: the emulator may be on any of them."""
    for target, probe in probes.items():
        address = facts[target].data_address
        port = _ask(probe.listen.remote(address))
        if isinstance(port, str):
            yield Finding(f"{target} port", False, f"cannot listen on {address}: {port}")
            continue
        told = {
            name: _ask(other.reach.remote(address, port)) for name, other in probes.items() if name != target
        }
        for name, why in told.items():
            if why:
                advice = "routes and firewalls of the data network: any TCP port must be open between hosts"
                yield Finding(f"{name} to {target}", False, f"{address}:{port}: {why}", advice)
        if not any(told.values()):
            yield Finding(f"{target} reached", True, f"{address} by {len(told)} other hosts")


def _ask(reference: Any) -> Any:
    """The answer, or as text why there is none."""
    import ray

    try:
        return ray.get(reference, timeout=_ANSWER_S)
    except ray.exceptions.RayTaskError as error:
        return first_line(error.cause)
    except ray.exceptions.RayError as error:
        return first_line(error)
