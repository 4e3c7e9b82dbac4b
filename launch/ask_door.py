"""The door of `m4sc ask`: a question is judged before it is sent anywhere."""

from pathlib import Path

from basestation.image_door import BadInput, check_image
from shared.config import RunConfig
from shared.wire.messages import TASKS

IMAGE_TASKS = ("vqa", "caption")
TEXT_TASKS = ("vqa", "text_classification")


def check_question(config: RunConfig, user: int, task: str, text: str, image: Path | None) -> bytes:
    """The image file's bytes, empty without one. Raises `BadInput`, one line that says what and where."""
    check_words(config, user, task, text, image is not None)
    if image is None:
        return b""
    try:
        if image.stat().st_size > config.limits.image_bytes:
            raise BadInput(
                f"{image}: {image.stat().st_size} bytes, at most {config.limits.image_bytes} are accepted"
            )
        data = image.read_bytes()
    except OSError as error:
        raise BadInput(f"{image}: cannot be read ({error.strerror})") from None
    try:
        check_image(data, config.limits)
    except BadInput as error:
        raise BadInput(f"{image}: {error}") from None
    return data


def check_words(config: RunConfig, user: int, task: str, text: str, has_image: bool) -> None:
    """All of a question but its image. Raises `BadInput`."""
    if task not in TASKS:
        raise BadInput(f"task {task}: expected one of {', '.join(TASKS)}")
    if not 0 <= user < config.users:
        raise BadInput(f"user {user}: expected 0 to {config.users - 1}")
    if len(text) > config.limits.text_chars:
        raise BadInput(f"text: {len(text)} characters, at most {config.limits.text_chars} are accepted")
    if task in TEXT_TASKS and not text.strip():
        raise BadInput(f"text: expected some for task {task}")
    if task in IMAGE_TASKS and not has_image:
        raise BadInput(f"image: expected a file for task {task}")
