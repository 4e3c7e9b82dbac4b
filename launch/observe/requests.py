"""What is known of each request, from the events that name it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from launch.verdict.requests import STATE_OF

MAX_REQUESTS: Final = 20_000
"""Of more, the oldest are let go."""

PHASES: Final = ("waiting", "encoding", "on the air", "answering")
_RECENT: Final = 200

Event = Mapping[str, Any]


@dataclass
class RequestView:
    """One request. Times are the journal's, in seconds. `state` is terminal; `phase`: where an open one is.

    `text`: of a question from outside; those of the workload are in its file, at `index`. `sent_layout` and
    `heard_layout`: the image tokens at both ends (`shared.token_layout`). `air`: the event `ue_air`.
    """

    request_id: str
    user: int = -1
    task: str = ""
    index: int | None = None
    ask_id: str | None = None
    text: str | None = None
    image_key: str | None = None
    begun_s: float = 0.0
    ended_s: float | None = None
    phase: str = "waiting"
    state: str | None = None
    reason: str = ""
    answer: str | None = None
    control: str | None = None
    latency_ms: float | None = None
    attempts: int = 0
    erased_tokens: int = 0
    stage_ms: dict[str, float] = field(default_factory=dict)
    group_id: int | None = None
    sent_layout: str = ""
    heard_layout: str = ""
    air: Event | None = None


class Requests:
    """All of a run, by id, in order of their first mention."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, RequestView] = OrderedDict()

    def __len__(self) -> int:
        return len(self._views)

    def get(self, request_id: str) -> RequestView | None:
        return self._views.get(request_id)

    def all(self) -> list[RequestView]:
        """In order of their first mention."""
        return list(self._views.values())

    def latest(self, most: int) -> list[RequestView]:
        """The newest first."""
        return [view for view, _ in zip(reversed(self._views.values()), range(most), strict=False)]

    def asked(self, ask_id: str) -> RequestView | None:
        """The request of a question by `m4sc ask`, or from the page; one of the newest."""
        return next((view for view in self.latest(_RECENT) if view.ask_id == ask_id), None)

    def counts(self) -> dict[str, int]:
        """Requests by terminal state, and `open` ones."""
        counts = dict.fromkeys((*STATE_OF.values(), "open"), 0)
        for view in self._views.values():
            counts[view.state or "open"] += 1
        return counts

    def phases(self) -> dict[str, int]:
        """Open requests by where they are."""
        counts = dict.fromkeys(PHASES, 0)
        for view in self._views.values():
            if view.state is None:
                counts[view.phase] += 1
        return counts

    def by_user(self) -> dict[int, dict[str, int]]:
        """User -> counts as `counts` gives them."""
        users: dict[int, dict[str, int]] = {}
        for view in self._views.values():
            counts = users.setdefault(view.user, dict.fromkeys((*STATE_OF.values(), "open"), 0))
            counts[view.state or "open"] += 1
        return users

    def apply(self, event: Event) -> None:
        """Take over what one event says."""
        kind = event["event"]
        if kind == "group":
            for member in _names(event):
                self._view(member).group_id = event.get("group_id")
                self._move(member, "encoding")
            return
        name = event.get("request_id")
        if isinstance(name, str):
            self._apply_to(self._view(name), str(kind), event)

    def _apply_to(self, view: RequestView, kind: str, event: Event) -> None:
        if kind == "invoke":
            view.user, view.task = int(event.get("user", -1)), str(event.get("task", ""))
            view.index, view.ask_id = event.get("index"), event.get("ask_id")
            view.text, view.image_key = event.get("text"), event.get("image")
            view.begun_s = float(event["t"])
        elif kind == "tokens":
            view.sent_layout = str(event.get("image_tokens", ""))
            self._move(view.request_id, "on the air")
        elif kind == "ue_tokens":
            view.heard_layout = str(event.get("image_tokens", ""))
        elif kind == "ue_answer":
            self._move(view.request_id, "answering")
        elif kind == "ue_air":
            view.air = event
        elif kind in STATE_OF and view.state is None:
            _end(view, kind, event)

    def _move(self, name: str, phase: str) -> None:
        view = self._view(name)
        if view.state is None:
            view.phase = phase

    def _view(self, name: str) -> RequestView:
        view = self._views.get(name)
        if view is None:
            view = self._views[name] = RequestView(name)
            if len(self._views) > MAX_REQUESTS:
                self._views.popitem(last=False)
        return view


def _end(view: RequestView, kind: str, event: Event) -> None:
    view.state = STATE_OF[kind]
    view.phase = STATE_OF[kind]
    view.ended_s = float(event["t"])
    view.reason, view.answer = str(event.get("reason", "")), event.get("text")
    view.control, view.latency_ms = event.get("control_text"), event.get("latency_ms")
    view.attempts, view.erased_tokens = int(event.get("attempts") or 0), int(event.get("erased_tokens") or 0)
    view.stage_ms = dict(event.get("stage_ms") or {})


def _names(event: Event) -> list[str]:
    names = event.get("requests")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
