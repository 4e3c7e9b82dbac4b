"""From the command to a testbed that is ready, and to its first answer, beside one process that does all."""

from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.timing import cost_line

REFERENCE = "one process, no testbed"


def bench(order: Order) -> list[Line]:
    """Seconds on the clock; the pictures are rendered before."""
    crowd, single = order.runs.get("crowd"), order.runs.single()
    users = crowd.config.users
    first_s = crowd.summary["launch_to_first_answer_s"]
    return [
        cost_line(
            "launching.ready",
            f"launch to ready, {users} UEs",
            "s",
            [crowd.summary["launch"]["times_s"]["ready"]],
            REFERENCE,
            [single.ready_s],
        ),
        cost_line(
            "launching.answer",
            f"launch to first answer, {users} UEs",
            "s",
            [first_s],
            REFERENCE,
            [single.answered_s],
            Target("value", 15.0, "at most") if users == 4 else None,
        ),
    ]
