"""Which host of a cluster runs which role. Pure: hosts in, names out.

In this order decides: `cluster.placement`; the label `m4sc-role` of a Ray node (`ray start --labels
m4sc-role=ce`; values bs, ce, ue); else the base station is where the command runs, the emulator alone on the
first other host (beside the base station if there are only two), and the UEs in turn on the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from launch.errors import LaunchError
from shared.config import PlacementConfig

ROLE_LABEL = "m4sc-role"


@dataclass(frozen=True, slots=True)
class Host:
    """A living node of the cluster. `name` is unique; `address`: of its Ray node; `here`: the command's."""

    node_id: str
    name: str
    address: str
    here: bool
    labels: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Placement:
    """Hosts by role name ('bs', 'ce', 'ue-3')."""

    by_role: Mapping[str, Host]

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Those with a role; the command's own, which has the base station, comes first."""
        return tuple(dict.fromkeys(sorted(self.by_role.values(), key=lambda host: not host.here)))

    def roles_of(self, host: Host) -> list[str]:
        return self.roles_on(host.name)

    def roles_on(self, name: str) -> list[str]:
        """By a host's name."""
        return [role for role, host in self.by_role.items() if host.name == name]


def place(hosts: Sequence[Host], users: int, wanted: PlacementConfig) -> Placement:
    """Decide. Raises `LaunchError`: one line that names the key and what is there."""
    ordered = sorted(hosts, key=lambda host: (not host.here, host.address))
    bs = _one("bs", wanted.bs, ordered) or ordered[0]
    if not bs.here:
        raise LaunchError(
            f"cluster.placement.bs: {bs.name} is not the host of this command; the base station reads the "
            "workload's images where the command runs: run it there"
        )
    others = [host for host in ordered if host != bs]
    free = _unlabelled(others)
    ce = _one("ce", wanted.ce, ordered) or (free[0] if free and len(others) > 1 else bs)
    named = [_find("ues", name, ordered) for name in wanted.ues] or _labelled("ue", ordered)
    rest = named or [host for host in free if host != ce] or [bs]
    users_of = {f"ue-{user}": rest[user % len(rest)] for user in range(users)}
    return Placement({"ce": ce, "bs": bs, **users_of})


def _one(role: str, name: str | None, hosts: Sequence[Host]) -> Host | None:
    """The host that the configuration or a label says, if any does."""
    if name is not None:
        return _find(role, name, hosts)
    labelled = _labelled(role, hosts)
    if len(labelled) > 1:
        names = ", ".join(host.name for host in labelled)
        raise LaunchError(f"label {ROLE_LABEL}={role}: expected on one host, found on {names}")
    return labelled[0] if labelled else None


def _find(key: str, name: str, hosts: Sequence[Host]) -> Host:
    for host in hosts:
        if name in (host.name, host.address):
            return host
    known = ", ".join(f"{host.name} ({host.address})" for host in hosts)
    raise LaunchError(f"cluster.placement.{key}: {name}: no such host in the cluster (there are {known})")


def _labelled(role: str, hosts: Sequence[Host]) -> list[Host]:
    return [host for host in hosts if host.labels.get(ROLE_LABEL) == role]


def _unlabelled(hosts: Sequence[Host]) -> list[Host]:
    return [host for host in hosts if ROLE_LABEL not in host.labels]
