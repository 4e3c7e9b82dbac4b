"""Bring up the agents of several hosts: bundle there, addresses known, keys exchanged."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from launch.agent_api import WARM_ROLES, AgentSettings
from launch.errors import LaunchError
from launch.host_api import PIECE_BYTES, HostApi
from launch.host_group import HostGroup
from launch.placement import Host, Placement
from shared.config import RunConfig
from shared.semantic.manifest import MANIFEST_FILE, BundleError, read_manifest
from shared.shipped import bundle_folder

LEASE_S = 120.0
"""An agent on another host that is not asked for events so long ends, and its roles with it."""
MakeAgent = Callable[[Host, AgentSettings], HostApi]
Say = Callable[[str], None]


def start_group(
    placement: Placement, config: RunConfig, settings: AgentSettings, make: MakeAgent, say: Say
) -> HostGroup:
    """The agents of all hosts with a role, ready for them. Raises `LaunchError`.

    `settings` are those of the command's own host.
    """
    hosts = {host.name: host for host in placement.hosts}
    agents = {host.name: make(host, _settings_of(host, placement, settings)) for host in hosts.values()}
    network = config.cluster.data_network

    def join(host: Host) -> str:
        bundle = None
        if not host.here and set(_kinds(placement, host)) & set(WARM_ROLES):
            bundle = _bring_bundle(config, host, agents[host.name], say)
        return agents[host.name].join(network, host.address, bundle)

    with ThreadPoolExecutor(len(hosts)) as pool:
        addresses = dict(zip(hosts, pool.map(join, hosts.values()), strict=True))
    _exchange_keys(placement, agents)
    host_of = {role: host.name for role, host in placement.by_role.items()}
    return HostGroup(agents, host_of, addresses)


def bring_file(group: HostGroup, path: Path, hosts: set[str]) -> None:
    """Copy a file of the run folder to the same place on other hosts. Raises `LaunchError`."""
    for host, agent in group.living().items():
        if host in hosts:
            _send(path, partial(agent.put_file, path.name))


def _settings_of(host: Host, placement: Placement, settings: AgentSettings) -> AgentSettings:
    settings = replace(settings, host=host.name, kinds=_kinds(placement, host))
    return settings if host.here else replace(settings, owner_pid=None, lease_s=LEASE_S, early={})


def _kinds(placement: Placement, host: Host) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role.partition("-")[0] for role in placement.roles_of(host)))


def _bring_bundle(config: RunConfig, host: Host, agent: HostApi, say: Say) -> str:
    """Where the bundle is on that host, copied there if it was not."""
    folder = bundle_folder(config.bundle)
    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        raise LaunchError(f"bundle: {error}") from None
    fingerprint = manifest.fingerprint
    if (there := agent.find_bundle(config.bundle, fingerprint)) is not None:
        return there
    if manifest.bytes > config.cluster.bundle_copy_mib * 2**20:
        raise LaunchError(
            f"bundle: {config.bundle} is not on host {host.name}, and is larger than cluster.bundle_copy_mib "
            f"({manifest.bytes / 2**20:.0f} MiB): copy it to the same folder there"
        )
    say(f"copying the bundle to {host.name}")
    listed = [*manifest.files, *([MANIFEST_FILE] if (folder / MANIFEST_FILE).exists() else [])]
    for name in listed:
        _send(folder / name, partial(agent.put_bundle, fingerprint, name))
    return agent.keep_bundle(fingerprint)


def _send(path: Path, put: Callable[[int, bytes], None]) -> None:
    try:
        with path.open("rb") as file:
            offset = 0
            while (data := file.read(PIECE_BYTES)) or not offset:
                put(offset, data)
                offset += len(data)
                if not data:
                    return
    except OSError as error:
        raise LaunchError(f"{path}: cannot be read ({error.strerror})") from None


def _exchange_keys(placement: Placement, agents: dict[str, HostApi]) -> None:
    """Each role's keys are made on its host; the others learn what they need of them."""
    told = {host.name: agents[host.name].introduce(placement.roles_of(host)) for host in placement.hosts}
    for name, agent in agents.items():
        others = [guests for host, guests in told.items() if host != name]
        agent.learn({role: guest for guests in others for role, guest in guests.items()})
