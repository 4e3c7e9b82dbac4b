"""What happened when, for plots over time: requests as they ended, processes as they were sampled."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from launch.observe.state import RunState
from launch.resources.use import Sample, read_resources
from launch.run_files import read_run
from launch.verdict.requests import stories


class Ending(NamedTuple):
    """A request's one terminal state, in seconds after the first request, and how long it took."""

    t_s: float
    latency_ms: float
    state: str
    user: int


@dataclass(frozen=True, slots=True)
class History:
    """`zero_s`: the first request, on the clock of `samples`; 0 where there was none. `seen`: as the
    dashboard sees the run in its end."""

    zero_s: float
    endings: list[Ending]
    samples: list[Sample]
    seen: RunState


def read_history(run_dir: Path, users: int) -> History:
    """From the journal and the samples of a run folder; whatever is missing is empty."""
    events = read_run(run_dir).events
    invokes = [float(event["t"]) for event in events if event.get("event") == "invoke"]
    zero_s = min(invokes, default=0.0)
    endings = []
    for story in stories(events).values():
        if story.invoke is None or story.state is None:
            continue
        end_s, took_ms = float(story.ends[0]["t"]), story.ends[0].get("latency_ms")
        if took_ms is None:
            took_ms = 1e3 * (end_s - float(story.invoke["t"]))
        endings.append(Ending(end_s - zero_s, float(took_ms), story.state, int(story.invoke.get("user", -1))))
    seen = RunState(users)
    for event in events:
        seen.apply(event)
    return History(zero_s, endings, read_resources(run_dir), seen)
