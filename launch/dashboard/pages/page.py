"""One visitor's page: tabs, and the clock by which they look again."""

import asyncio
from html import escape
from pathlib import Path
from typing import Final

from nicegui import ui

from launch.dashboard.control import Control
from launch.dashboard.pages.asking import AskPanel
from launch.dashboard.pages.injecting import FaultPanel
from launch.dashboard.pages.panel import Fragment, Panel
from launch.dashboard.pages.requests import RequestPanel
from launch.dashboard.pages.watching import AirPanel, Events, Overview
from launch.dashboard.scene import Scene, headline
from launch.observe.replay import Replay
from launch.observe.watch import RunWatch

LOOK_S: Final = 0.5
_STYLE: Final = Path(__file__).with_name("style.css")
_SPEEDS: Final = {1: "1 ×", 5: "5 ×", 20: "20 ×"}


async def look_again(watch: RunWatch) -> None:
    """Files are read off the loop, and what is new is taken over on it, where pages and metrics are made."""
    await asyncio.to_thread(watch.read)
    watch.take()


class Page:
    """Only the tab that is seen is kept up to date. `chosen`: the request to show."""

    def __init__(self, watch: RunWatch, control: Control | None, chosen: str | None) -> None:
        self._watch = watch
        self._replay = Replay(watch.run_dir, watch.config.users)
        self._then_s: float | None = None
        self._asked: str | None = None
        self._looking = asyncio.Lock()
        ui.add_css(_STYLE)
        self._header()
        self._panels = self._tabs(control, chosen)
        ui.timer(LOOK_S, self._look)

    def _header(self) -> None:
        with ui.element("header").classes("w-full"):
            ui.html(f"<h1>M4SC · {escape(self._watch.run_dir.name)}</h1>", sanitize=False)
            self._headline = Fragment()
        with ui.row().classes("w-full items-center gap-3"):
            self._play = ui.switch("replay")
            self._speed = ui.select(_SPEEDS, value=1, label="speed").props("dense").classes("w-20")
            self._slider = ui.slider(min=0.0, max=1.0, step=0.1, value=1.0, on_change=self._moved)
            self._slider.classes("time").props('label aria-label="seconds after the first request"')
            self._now = ui.button("to the end", on_click=self._to_end).props("no-caps flat dense")

    def _tabs(self, control: Control | None, chosen: str | None) -> dict[str, Panel]:
        names = ("Overview", "Request", "Air", "Faults", "Ask", "Events")
        with ui.tabs().classes("w-full").props("dense no-caps outside-arrows mobile-arrows") as self._tab:
            for name in names:
                ui.tab(name)
        with ui.tab_panels(self._tab, value="Request" if chosen else "Overview").classes("w-full") as panels:
            panels.props("keep-alive")
            built: dict[str, Panel] = {}
            for name in names:
                with ui.tab_panel(name).classes("gap-3"):
                    built[name] = self._panel(name, control, chosen)
        self._tab.on_value_change(self._look)
        return built

    def _panel(self, name: str, control: Control | None, chosen: str | None) -> Panel:
        if name == "Overview":
            return Overview()
        if name == "Request":
            self._request = RequestPanel(chosen)
            return self._request
        if name == "Air":
            return AirPanel()
        if name == "Faults":
            return FaultPanel(self._watch.config, control)
        if name == "Ask":
            return AskPanel(self._watch.config, control, self._show_asked)
        return Events()

    async def _look(self) -> None:
        """See what is new; one look at a time, whoever asks for it."""
        async with self._looking:
            await look_again(self._watch)
            self._play_on()
            self._show(await self._scene())

    def _play_on(self) -> None:
        end_s = max(self._watch.state.since_zero(self._watch.state.last_s), 0.1)
        self._slider.props(f"max={end_s:.1f}")
        if self._then_s is not None and self._play.value:
            self._then_s += LOOK_S * float(self._speed.value)
            if self._then_s >= end_s:
                self._to_end()
            else:
                self._slider.value = round(self._then_s, 1)
        if self._then_s is None:
            self._slider.value = round(end_s, 1)

    async def _scene(self) -> Scene:
        if self._then_s is None:
            return Scene(self._watch, self._watch.state, latest=True)
        then_s = self._watch.state.zero_s + self._then_s
        return Scene(self._watch, await asyncio.to_thread(self._replay.seek, then_s), latest=False)

    def _show(self, scene: Scene) -> None:
        self._headline.put(f'<p role="status">{escape(headline(scene))}</p>')
        self._go_to_asked(scene)
        self._panels[str(self._tab.value)].show(scene)

    def _moved(self) -> None:
        """By the visitor: another moment than the end is looked at."""
        end_s = max(self._watch.state.since_zero(self._watch.state.last_s), 0.1)
        self._then_s = None if self._slider.value >= end_s - 0.11 else float(self._slider.value)

    def _to_end(self) -> None:
        self._then_s, self._play.value = None, False

    def _show_asked(self, ask_id: str) -> None:
        """As soon as the journal has it."""
        self._asked = ask_id

    def _go_to_asked(self, scene: Scene) -> None:
        view = None if self._asked is None else scene.state.requests.asked(self._asked)
        if view is not None:
            self._asked = None
            self._request.choose(view.request_id)
            self._tab.value = "Request"
