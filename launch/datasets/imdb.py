"""Read movie reviews: JSON lines (`id`, `label`, `text`; plain or gzipped), or the folders of the archive.

The archive is the Large Movie Review Dataset (Maas et al. 2011): `aclImdb/{train,test}/{pos,neg}/*.txt`. Its
own folder may be given with a split ('heldout' is its `test`), or one split's folder. The labels are `pos`
and `neg`; answers are words.
"""

from collections.abc import Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Final

from launch.datasets.errors import DatasetError
from launch.datasets.json_lines import MAX_LINE_CHARACTERS, read_json_lines, text_field
from launch.datasets.sample import Sample

ANSWERS: Final = {"pos": "positive", "neg": "negative"}
HELDOUT: Final = "heldout"
_HELDOUT_OF_ARCHIVE: Final = "test"


def read_reviews(path: Path, limit: int | None = None, split: str = HELDOUT) -> list[Sample]:
    """The first `limit` reviews in the file's order, or of a folder by turns positive and negative.

    `split` chooses among an archive's splits only. Raises `DatasetError`.
    """
    return list(islice(_of_folder(path, split) if path.is_dir() else _of_lines(path), limit))


def _of_lines(path: Path) -> Iterator[Sample]:
    seen: dict[str, int] = {}
    for number, record in read_json_lines(path):
        place = f"line {number}"
        review_id = text_field(path, place, record, "id")
        if review_id in seen:
            raise DatasetError(f"{path}: {place}: id: {review_id!r} was used on line {seen[review_id]}")
        seen[review_id] = number
        label = record.get("label")
        if not isinstance(label, str) or label not in ANSWERS:
            raise DatasetError(f"{path}: {place}: label: expected {' or '.join(ANSWERS)}, found {label!r}")
        yield _sample(text_field(path, place, record, "text"), label, review_id)


def _of_folder(root: Path, split: str) -> Iterator[Sample]:
    folder = _split_folder(root, split)
    files = {label: sorted((folder / label).glob("*.txt")) for label in ANSWERS}
    for label, found in files.items():
        if not found:
            raise DatasetError(f"{folder / label}: expected reviews (*.txt), found none")
    for path in chain.from_iterable(zip_longest(*files.values())):
        if path is not None:
            yield _sample(_text(path), path.parent.name, f"{folder.name}/{path.parent.name}/{path.name}")


def _split_folder(root: Path, split: str) -> Path:
    """Where pos/ and neg/ lie: `root` itself, or a split of it."""
    name = _HELDOUT_OF_ARCHIVE if split == HELDOUT else split
    for folder in (root, root / name):
        if all((folder / label).is_dir() for label in ANSWERS):
            return folder
    wanted = " and ".join(f"{label}/" for label in ANSWERS)
    raise DatasetError(f"{root}: split {name!r}: expected {wanted} in it or in {name}/")


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(MAX_LINE_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: expected UTF-8 ({error.reason})") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    if len(text) > MAX_LINE_CHARACTERS:
        raise DatasetError(f"{path}: expected at most {MAX_LINE_CHARACTERS} characters")
    if not text.strip():
        raise DatasetError(f"{path}: expected a text that is not empty")
    return text


def _sample(text: str, label: str, review_id: str) -> Sample:
    """Line breaks that the corpus writes as HTML become spaces."""
    return Sample(
        task="text_classification",
        image=None,
        text=" ".join(text.replace("<br />", " ").split()),
        answer=ANSWERS[label],
        kind="sentiment",
        family="imdb",
        sample_id=review_id,
    )
