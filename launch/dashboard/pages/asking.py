"""The form by which a visitor asks a question, with an image of one's own."""

from collections.abc import Callable
from html import escape

from nicegui import events, ui

from basestation.image_door import BadInput, check_image
from launch.ask_door import IMAGE_TASKS, check_words
from launch.dashboard.control import Control
from launch.dashboard.scene import Scene
from launch.errors import LaunchError
from shared.config import RunConfig
from shared.wire.messages import TASKS


class AskPanel:
    """`on_answer` gets the id by which the question was asked."""

    def __init__(self, config: RunConfig, control: Control | None, on_answer: Callable[[str], None]) -> None:
        self._config = config
        self._control = control
        self._on_answer = on_answer
        self._image = b""
        if control is None:
            ui.label("Questions can be asked while a testbed is up: start one with `m4sc up`.")
            return
        with ui.row().classes("items-end"):
            self._user = ui.select(list(range(config.users)), value=0, label="user").classes("w-24")
            self._task = ui.select(list(TASKS), value="vqa", label="task").classes("w-44")
        self._text = ui.input("question or text").classes("w-full").props("clearable")
        ui.upload(
            label="image (PNG, JPEG, WebP or BMP)", auto_upload=True, max_files=1,
            max_file_size=config.limits.image_bytes, on_upload=self._take,
            on_rejected=lambda: self._say("the file is too large"),
        ).classes("w-full").props("accept=image/*")  # fmt: skip
        self._button = ui.button("Ask", on_click=self._ask).props("no-caps")
        self._answer = ui.html("", sanitize=False).classes("answer").props('aria-live="polite" id=answer')

    def show(self, scene: Scene) -> None:
        """Nothing changes by itself here."""

    async def _take(self, event: events.UploadEventArguments) -> None:
        data = await event.file.read()
        try:
            check_image(data, self._config.limits)
        except BadInput as error:
            self._say(f"{event.file.name}: {error}")
            return
        self._image = data
        self._say(f"{event.file.name}: {len(data):,} bytes")

    async def _ask(self) -> None:
        assert self._control is not None
        user, task, text = int(self._user.value), str(self._task.value), str(self._text.value or "")
        image = self._image if task in IMAGE_TASKS else b""
        self._button.disable()
        self._say("asking …")
        try:
            check_words(self._config, user, task, text, bool(image))
            answer = await self._control.ask(user, task, text, image)
        except (BadInput, LaunchError) as error:
            self._say(str(error))
            return
        finally:
            self._button.enable()
        said, how = escape(str(answer["text"] or answer["reason"])), escape(str(answer["state"]))
        self._answer.set_content(f"<b>{said}</b> <span>{how}, {answer['latency_ms']:.0f} ms</span>")
        if answer.get("ask_id"):
            self._on_answer(str(answer["ask_id"]))

    def _say(self, text: str) -> None:
        self._answer.set_content(escape(text))
