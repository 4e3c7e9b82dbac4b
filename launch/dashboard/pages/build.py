"""The routes: `/` for people, `/picture/<request>` for the images it shows, `/metrics` for Prometheus."""

from io import BytesIO
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response
from nicegui import ui
from PIL import Image, UnidentifiedImageError
from prometheus_client import CONTENT_TYPE_LATEST

from launch.dashboard.control import Control
from launch.dashboard.pages.page import Page, look_again
from launch.dashboard.views.request import PICTURE
from launch.observe.metrics import exposition
from launch.observe.watch import RunWatch


def build(app: FastAPI, run_dir: Path, control: Control | None) -> None:
    """Raises `ConfigError` when the folder is none of a run."""
    watch = RunWatch(run_dir)

    @app.get("/picture/{request_id}")
    def picture(request_id: str) -> Response:
        view = watch.state.requests.get(request_id)
        path = None if view is None else watch.picture_of(view)
        data = None if path is None else small_jpeg(path)
        if data is None:
            return Response("no picture", status_code=404, media_type="text/plain")
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "max-age=3600"})

    @app.get("/metrics")
    async def metrics() -> Response:
        await look_again(watch)
        return Response(exposition(watch), media_type=CONTENT_TYPE_LATEST)

    @ui.page("/", title=f"M4SC {run_dir.name}")
    def index(show: str | None = None) -> None:
        Page(watch, control, show)


def small_jpeg(path: Path) -> bytes | None:
    """The image as the page shows it; None where there is no image any more."""
    try:
        with Image.open(path) as image:
            small = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    small.thumbnail(PICTURE)
    out = BytesIO()
    small.save(out, "JPEG", quality=85)
    return out.getvalue()
