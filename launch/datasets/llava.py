"""Read conversations about pictures in LLaVA's format (Liu et al. 2023): one JSON list of records.

    [{"id": "7", "image": "coco/7.jpg", "conversations": [
        {"from": "human", "value": "<image>\\nWhat is it?"}, {"from": "gpt", "value": "A cat."}, ...]}, ...]

Turns alternate, a human's first. A record with an image has `<image>` once, in one of the human's turns,
where it adds nothing to the text; a record without has none. A conversation of one turn in which the human
says nothing but `<image>` is a caption.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import object_field, read_json, text_field

PLACEHOLDER: Final = "<image>"
SPEAKERS: Final = ("human", "gpt")
MAX_TURNS: Final = 256
"""Questions of one record."""
MAX_CHARACTERS: Final = 1 << 16
"""Of one thing that is said."""
MAX_NAME_CHARACTERS: Final = 512
"""Of an id or an image's path."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a human says, without the placeholder, and what is answered."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One record. `image` is a file that was there when it was read."""

    record_id: str
    image: Path | None
    turns: tuple[Turn, ...]

    @property
    def task(self) -> Literal["vqa", "caption"]:
        """A picture without a question is to be described."""
        return "vqa" if self.turns[0].question else "caption"


def read_conversations(path: Path, images: Path, limit: int | None = None) -> list[Conversation]:
    """The first `limit` records of a file, in its order; pictures are looked for below `images` only.

    Raises:
        DatasetError: one line that names the file, the record, the field and what was expected.
    """
    records = read_json(path, "a list of conversations in LLaVA's format")
    if not isinstance(records, list) or not records:
        found = "an empty one" if records == [] else type(records).__name__
        raise DatasetError(f"{path}: expected a list of conversations, found {found}")
    if not images.is_dir():
        raise DatasetError(f"{images}: no such folder, expected the images that {path.name} names")
    below = images.resolve()
    return [_conversation(path, f"record {n}", record, below) for n, record in enumerate(records[:limit])]


def _conversation(path: Path, place: str, value: object, images: Path) -> Conversation:
    record = object_field(path, place, "", value)
    record_id = record.get("id")
    if isinstance(record_id, int) and not isinstance(record_id, bool):
        record = {**record, "id": str(record_id)}
    name = _bounded(path, place, record, "id", MAX_NAME_CHARACTERS)
    image = None if record.get("image") is None else _image(path, place, record, images)
    turns = _turns(path, place, record.get("conversations"), image is not None)
    return Conversation(name, image, turns)


def _image(path: Path, place: str, record: dict[str, Any], images: Path) -> Path:
    """An image file below the folder, links followed."""
    name = _bounded(path, place, record, "image", MAX_NAME_CHARACTERS)
    try:
        found = (images / name).resolve()
        inside, there = found.is_relative_to(images), found.is_file()
    except (OSError, ValueError) as error:  # a NUL, a loop of links
        raise DatasetError(f"{path}: {place}: image: expected a path, found {name!r} ({error})") from None
    if not inside:
        raise DatasetError(f"{path}: {place}: image: expected a path below {images}, found {name!r}")
    if not there:
        raise DatasetError(f"{path}: {place}: image: no such image {found}")
    return found


def _turns(path: Path, place: str, said: object, has_image: bool) -> tuple[Turn, ...]:
    if not isinstance(said, list) or not said or len(said) % 2 or len(said) > 2 * MAX_TURNS:
        found = f"{len(said)} of them" if isinstance(said, list) else type(said).__name__
        raise DatasetError(
            f"{path}: {place}: conversations: expected 1 to {MAX_TURNS} pairs of turns, found {found}"
        )
    texts = [_said(path, place, number, turn) for number, turn in enumerate(said)]
    shown = [number for number, text in enumerate(texts) for _ in range(text.count(PLACEHOLDER))]
    if [number % 2 for number in shown] != [0] * has_image:
        wanted = f"{PLACEHOLDER} in one human turn" if has_image else f"no {PLACEHOLDER} without an image"
        raise DatasetError(f"{path}: {place}: conversations: expected {wanted}, found {len(shown)} of them")
    texts = [text.replace(PLACEHOLDER, "").strip() for text in texts]
    for number in range(0, len(texts), 2):
        if not texts[number] and len(texts) > 2:
            raise DatasetError(
                f"{path}: {place}: conversations[{number}].value: expected a text beside {PLACEHOLDER}"
            )
    return tuple(Turn(q, a) for q, a in zip(texts[::2], texts[1::2], strict=True))


def _said(path: Path, place: str, number: int, value: object) -> str:
    field = f"conversations[{number}]"
    turn = object_field(path, place, field, value)
    speaker = SPEAKERS[number % 2]
    if turn.get("from") != speaker:
        raise DatasetError(f"{path}: {place}: {field}.from: expected {speaker!r}, found {turn.get('from')!r}")
    return _bounded(path, f"{place}: {field}", turn, "value", MAX_CHARACTERS)


def _bounded(path: Path, place: str, record: dict[str, Any], field: str, most: int) -> str:
    text = text_field(path, place, record, field)
    if len(text) > most:
        raise DatasetError(f"{path}: {place}: {field}: expected at most {most} characters, found {len(text)}")
    return text
