"""`m4sc doctor`: what is wrong with this machine."""

from typing import TYPE_CHECKING, Annotated

import typer

from launch.commands.common import Json, print_json

if TYPE_CHECKING:
    from launch.doctor import Finding


def doctor(
    ray: Annotated[
        bool, typer.Option("--ray", help="Also start and stop a private Ray (about 10 s).")
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster", metavar="HOST:PORT", help="The hosts of a Ray cluster instead, link by link."
        ),
    ] = None,
    data_network: Annotated[
        str | None,
        typer.Option("--data-network", metavar="CIDR", help="With --cluster: as cluster.data_network."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check Python, packages, memory, sockets, disk and the shipped weights; or the hosts of a cluster.

    Exit code 2 if something is wrong.

    Example: [bold]m4sc doctor --cluster 10.0.0.1:6379 --data-network 10.0.2.0/24[/]
    """
    findings = _findings(ray, cluster, data_network)
    if as_json:
        print_json([{"check": f.check, "ok": f.ok, "found": f.found, "advice": f.advice} for f in findings])
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table("", "check", "found", "advice", box=None)
        for f in findings:
            table.add_row("[green]ok[/]" if f.ok else "[red]no[/]", f.check, f.found, f.advice)
        Console().print(table)
    raise typer.Exit(0 if all(f.ok for f in findings) else 2)


def _findings(ray: bool, cluster: str | None, data_network: str | None) -> "list[Finding]":
    from launch.doctor import examine
    from shared.config_file import ConfigError, parse_config

    if cluster is None:
        if data_network is not None:
            raise ConfigError("--data-network: expected with --cluster")
        return examine(with_ray=ray)
    from launch.cluster_doctor import examine_cluster

    wanted = {"cluster": {"address": cluster, "data_network": data_network}}
    return examine_cluster(parse_config(wanted, "m4sc doctor").cluster)
