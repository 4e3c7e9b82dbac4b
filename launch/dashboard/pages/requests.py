"""The part of the page for one request: a list to choose from, and all that is known of the chosen one."""

from typing import Any, Final

from nicegui import ui

from launch.dashboard.pages.panel import Chart, Fragment
from launch.dashboard.scene import Scene
from launch.dashboard.views.charts import constellation_chart
from launch.dashboard.views.request import request_html
from launch.observe.requests import RequestView

MAX_LISTED: Final = 500
_COLUMNS: Final = [
    {"name": name, "label": name, "field": name, "align": "left", "sortable": True}
    for name in ("request", "user", "status", "ms", "answer", "question")
]


class RequestPanel:
    """Follows the newest answer until one is chosen."""

    def __init__(self, chosen: str | None) -> None:
        self._chosen = chosen
        self._scene: Scene | None = None
        with ui.element("section").classes("panel"):
            self._detail = Fragment()
        with ui.element("div").classes("request-parts"):
            self._constellation = Chart("received symbols before and after equalisation")
            with ui.element("section").classes("panel"):
                ui.html("<h2>Choose a request</h2>", sanitize=False)
                self._list(chosen)

    def _list(self, chosen: str | None) -> None:
        with ui.row().classes("items-center"):
            search = ui.input("search").props("dense clearable")
            self._follow = ui.switch("follow the newest", value=chosen is None, on_change=self._again)
        self._table = ui.table(
            columns=_COLUMNS,
            rows=[],
            row_key="request",
            selection="single",
            pagination=8,
            on_select=lambda event: self._choose(event.selection),
        )
        self._table.bind_filter_from(search, "value").classes("w-full").props("dense flat wrap-cells")

    def show(self, scene: Scene) -> None:
        self._scene = scene
        views = scene.state.requests.latest(MAX_LISTED)
        rows = [_row(scene, view) for view in views]
        if rows != self._table.rows:
            self._table.rows = rows
        view = self._view(scene, views)
        if view is None:
            self._detail.put("<p>No request yet.</p>")
        else:
            url = f"picture/{view.request_id}" if scene.watch.picture_of(view) is not None else None
            self._detail.put(request_html(scene, view, url))
        self._constellation.put(constellation_chart(view))

    def choose(self, request_id: str) -> None:
        """Show this one, wherever the choice was made."""
        self._chosen = request_id
        self._follow.value = False

    def _view(self, scene: Scene, views: list[RequestView]) -> RequestView | None:
        if self._follow.value or self._chosen is None:
            ended = [view for view in views if view.state is not None]
            return max(ended, key=lambda view: view.ended_s or 0.0) if ended else next(iter(views), None)
        return scene.state.requests.get(self._chosen)

    def _choose(self, selection: list[dict[str, Any]]) -> None:
        if selection:
            self.choose(str(selection[0]["request"]))
        self._again()

    def _again(self) -> None:
        if self._scene is not None:
            self.show(self._scene)


def _row(scene: Scene, view: RequestView) -> dict[str, Any]:
    return {
        "request": view.request_id,
        "user": view.user,
        "question": (scene.watch.question_of(view) or f"({view.task})")[:120],
        "answer": (view.answer or "")[:60],
        "status": view.state or view.phase,
        "ms": "" if view.latency_ms is None else round(view.latency_ms),
    }
