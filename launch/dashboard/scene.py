"""What is looked at: a run folder at a moment."""

from dataclasses import dataclass

from launch.observe.state import RunState
from launch.observe.watch import RunWatch


@dataclass(frozen=True, slots=True)
class Scene:
    """`latest`: the state is of now, or of the run's end, not of an earlier moment that is seen again."""

    watch: RunWatch
    state: RunState
    latest: bool

    @property
    def users(self) -> int:
        return self.watch.config.users


def headline(scene: Scene) -> str:
    """'running: 12 of 32 requests ended', 'valid: 32 of 32 answered'."""
    counts = scene.state.requests.counts()
    ended = sum(counts.values()) - counts["open"]
    planned = scene.watch.planned
    of = "" if planned is None else f" of {planned}"
    if not scene.latest:
        seconds = scene.state.since_zero(scene.state.last_s)
        return f"at {seconds:.1f} s: {ended}{of} requests ended"
    summary = scene.watch.summary
    if summary is None:
        return f"running: {ended}{of} requests ended"
    requests = summary["requests"]
    return f"{summary['verdict']}: {requests['answered']} of {requests['attempted']} answered"
