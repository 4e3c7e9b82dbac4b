"""Bytes on the wire that are neither samples nor index maps, by the ledger, a request."""

from launch.accounts import accounts
from launch.bench.line import Line
from launch.bench.order import Order
from launch.bench.timing import cost_line
from launch.run_files import read_run


def bench(order: Order) -> list[Line]:
    """Every message counts once, where it was made; heartbeats and greetings of the run count as well."""
    crowd = order.runs.get("crowd")
    total = accounts(read_run(crowd.folder).rows, crowd.config.users).total
    requests = crowd.summary["requests"]["attempted"]
    said = (total.control_bytes + total.feedback_bytes) / requests
    payload = [total.payload_bytes / requests]
    reference = "samples and index maps"
    return [
        cost_line(
            "overhead.all",
            "bytes beyond the payload, a request",
            "bytes",
            [(total.wire_bytes - total.payload_bytes) / requests],
            reference,
            payload,
        ),
        cost_line(
            "overhead.headers",
            "of these, headers and framing of what crosses the air",
            "bytes",
            [(total.wire_bytes - total.payload_bytes) / requests - said],
            reference,
            payload,
        ),
        cost_line(
            "overhead.said",
            "of these, answers, feedback, control and sessions",
            "bytes",
            [said],
            reference,
            payload,
        ),
    ]
