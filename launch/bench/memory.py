"""Memory of the processes of a run, beside one process that has the whole model to itself."""

from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.timing import cost_line
from launch.resources.use import MB, read_resources, resource_use


def bench(order: Order) -> list[Line]:
    """The last proportional set size of every process, pages that several share in shares."""
    crowd, single = order.runs.get("crowd"), order.runs.single()
    pss_mb: dict[str, list[float]] = {}
    for use in resource_use(read_resources(crowd.folder)):
        pss_mb.setdefault(use["role"], []).append(use["pss_mb_last"])
    return [
        cost_line(
            f"memory.{role}",
            f"memory of {'a UE' if role == 'ue' else 'the ' + NAMES.get(role, role)}",
            "MB",
            values,
            "one process, no testbed",
            [single.pss_bytes / MB],
            paired=False,
        )
        for role, values in pss_mb.items()
    ]


NAMES = {"bs": "base station", "ce": "emulator"}
