"""What every part of the page has in common."""

from typing import Any, Protocol

from nicegui import ui

from launch.dashboard.scene import Scene


class Panel(Protocol):
    """A part of the page, built once for each visitor; `show` is called for every look."""

    def show(self, scene: Scene) -> None: ...


class Fragment:
    """HTML of our own making; sent only when it has changed."""

    def __init__(self) -> None:
        self._element = ui.html("", sanitize=False).classes("w-full")

    def put(self, text: str) -> None:
        if text != self._element.content:
            self._element.set_content(text)


class Chart:
    """An ECharts drawing; sent only when it has changed."""

    def __init__(self, label: str) -> None:
        self._element = ui.echart({}).classes("panel").style("height: 300px").props(f'aria-label="{label}"')
        self._shown: dict[str, Any] = {}

    def put(self, options: dict[str, Any]) -> None:
        if options == self._shown:
            return
        self._shown = options
        self._element.options.clear()
        self._element.options.update(options)
        self._element.update()
