"""The processes and what flows between them: base station, emulator, and every UE with its last question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from launch.dashboard.scene import Scene
from launch.live_table import human_bytes, human_count
from launch.observe.processes import UP, ue_name
from launch.observe.requests import RequestView

MAX_UES: Final = 64
_SIGNS: Final = {
    UP: "●", "starting": "◔", "not started": "○", "paused": "‖", "slow": "◑", "stopping": "◕", "ended": "■",
    "crashed": "✕", "lost": "✕", "fenced": "⊘",
}  # fmt: skip
_GOOD: Final = (UP, "ended", "stopping")


@dataclass
class Rates:
    """Bytes a second of each hop and direction between two looks."""

    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _at_s: float | None = None
    per_s: dict[tuple[str, str], float] = field(default_factory=dict)

    def update(self, numbers: Mapping[str, list[Mapping[str, object]]], now_s: float) -> None:
        """`numbers`: of the ledger now; `now_s`: of a monotonic clock."""
        totals: dict[tuple[str, str], int] = {}
        for line in numbers["links"]:
            key = str(line["hop"]), str(line["direction"])
            totals[key] = totals.get(key, 0) + int(str(line["wire_bytes"]))
        if self._at_s is not None and now_s > self._at_s:
            took_s = now_s - self._at_s
            self.per_s = {key: (n - self._seen.get(key, 0)) / took_s for key, n in totals.items()}
        self._seen, self._at_s = totals, now_s


def topology_html(scene: Scene, rates: Rates) -> str:
    """Three columns, on a narrow page three rows; states are said in words, not by colour alone."""
    last = _last_of_each(scene)
    counts = scene.state.requests.by_user()
    lines = scene.watch.numbers["users"]
    ues = "".join(
        _ue(scene, user, lines[user], counts.get(user, {}), last.get(user))
        for user in range(min(scene.users, MAX_UES))
    )
    more = "" if scene.users <= MAX_UES else f"<p>and {scene.users - MAX_UES} more UEs</p>"
    total = scene.watch.numbers["totals"]
    bs = f"{human_count(total['channel_uses'])} channel uses sent"
    config = scene.watch.config
    ce = f"{escape(config.channel.model)} · {len(config.channel.faults)} faults configured"
    return (
        f'<div class="topology"><div>{_card(scene, "bs", "base station", bs)}</div>'
        f"{_link(scene, rates, 'bs-ce')}<div>{_card(scene, 'ce', 'channel emulator', ce)}</div>"
        f'{_link(scene, rates, "ce-ue")}<div class="ues">{ues}{more}</div></div>'
    )


def _card(scene: Scene, name: str, title: str, body: str) -> str:
    state = scene.state.processes.state_of(name)
    mood = "good" if state in _GOOD else "bad" if _SIGNS.get(state) in ("✕", "⊘") else "odd"
    return (
        f'<article class="role {mood}" data-role="{escape(name)}"><h3>{escape(title)}</h3>'
        f'<p class="state"><span aria-hidden="true">{_SIGNS.get(state, "?")}</span> {escape(state)}</p>'
        f"<p>{body}</p></article>"
    )


def _ue(
    scene: Scene, user: int, line: Mapping[str, object], counts: Mapping[str, int], last: RequestView | None
) -> str:
    bad = sum(counts.get(state, 0) for state in ("failed", "expired", "refused"))
    body = (
        f"{line['snr_db']:g} dB · {human_bytes(int(str(line['wire_bytes'])))}<br>"
        f"<b>{counts.get('answered', 0)}</b> answered"
        + (f", {counts['degraded']} degraded" if counts.get("degraded") else "")
        + (f", {bad} not answered" if bad else "")
    )
    if last is not None:
        question = scene.watch.question_of(last) or f"({last.task})"
        answer = last.phase if last.state is None else last.answer or last.state
        asked = f'<q title="{escape(question)}">{escape(_short(question))}</q>'
        body += f"<br>{asked} <b>{escape(_short(answer))}</b>"
    return _card(scene, ue_name(user), f"UE {user}", body)


def _link(scene: Scene, rates: Rates, hop: str) -> str:
    totals = {"down": 0, "up": 0}
    for line in scene.watch.numbers["links"]:
        if line["hop"] == hop and line["direction"] in totals:
            totals[line["direction"]] += line["wire_bytes"]
    said = "".join(
        f"<span>{sign} {human_bytes(totals[way])}{_rate(scene, rates, hop, way)}</span>"
        for way, sign in (("down", "⇢"), ("up", "⇠"))
    )
    return f'<div class="link" aria-label="link {hop}">{said}</div>'


def _rate(scene: Scene, rates: Rates, hop: str, way: str) -> str:
    if scene.watch.finished:
        return ""
    return f"<small>{human_bytes(round(rates.per_s.get((hop, way), 0.0)))}/s</small>"


def _last_of_each(scene: Scene) -> dict[int, RequestView]:
    found: dict[int, RequestView] = {}
    for view in scene.state.requests.latest(8 * scene.users):
        found.setdefault(view.user, view)
    return found


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
